//! A minimal OAuth client and browser over plain HTTP.

use std::collections::HashMap;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use reqwest::{Response, StatusCode};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use url::Url;
use usher_demo::{Demo, DemoOptions};
use usher_fake_service::http_client;

pub const REDIRECT: &str = "dev.usher.desktop:/oauth/callback";
pub const VERIFIER: &str = "a-verifier-that-is-long-enough-to-be-one-0123456789";

pub type Fields<'a> = Vec<(&'a str, String)>;

/// A client of one demo that follows no redirects.
pub struct Browser {
    pub http: reqwest::Client,
    pub issuer: String,
    pub resource: String,
}

/// Starts a demo and creates a client for it.
pub async fn start(options: DemoOptions) -> (Demo, Browser) {
    let demo = Demo::start(options).await.unwrap();
    let browser = Browser::new(&demo);
    (demo, browser)
}

impl Browser {
    pub fn new(demo: &Demo) -> Browser {
        Browser {
            http: http_client().build().unwrap(),
            issuer: demo.issuer().to_owned(),
            resource: demo.url().to_string(),
        }
    }

    pub async fn register_as(&self, metadata: Value) -> (StatusCode, Value) {
        let response =
            self.http.post(format!("{}/register", self.issuer)).json(&metadata).send().await.unwrap();
        (response.status(), response.json().await.unwrap_or_default())
    }

    /// Registers the usual client and returns its id.
    pub async fn register(&self) -> String {
        let (status, client) = self
            .register_as(json!({
                "client_name": "Usher",
                "redirect_uris": [REDIRECT],
                "application_type": "native",
                "token_endpoint_auth_method": "none",
                "grant_types": ["authorization_code", "refresh_token"],
            }))
            .await;
        assert_eq!(status, StatusCode::CREATED, "{client}");
        client["client_id"].as_str().unwrap().to_owned()
    }

    /// Returns the fields of a valid authorization request.
    pub fn request(&self, client_id: &str) -> Fields<'static> {
        vec![
            ("response_type", "code".to_owned()),
            ("client_id", client_id.to_owned()),
            ("redirect_uri", REDIRECT.to_owned()),
            ("state", "st&te=1".to_owned()),
            ("code_challenge", URL_SAFE_NO_PAD.encode(Sha256::digest(VERIFIER))),
            ("code_challenge_method", "S256".to_owned()),
            ("resource", self.resource.clone()),
            ("scope", "openid notes:read notes:write offline_access".to_owned()),
        ]
    }

    pub async fn authorize(&self, request: &Fields<'_>) -> Response {
        let address = format!("{}/authorize", self.issuer);
        let address =
            Url::parse_with_params(&address, request.iter().map(|(key, value)| (*key, value))).unwrap();
        self.http.get(address).send().await.unwrap()
    }

    /// Presses a button on the page and returns the redirect address.
    pub async fn press(&self, page: &str, decision: &str) -> String {
        let ticket = page.split_once(r#"name="ticket" value=""#).expect("a consent page").1;
        let ticket = ticket.split_once('"').unwrap().0;
        let response = self.post("/authorize", &[("ticket", ticket), ("decision", decision)]).await;
        assert_eq!(response.status(), StatusCode::SEE_OTHER);
        response.headers()["location"].to_str().unwrap().to_owned()
    }

    /// Authorizes a request and returns the code.
    pub async fn code(&self, request: &Fields<'_>) -> String {
        let page = self.authorize(request).await.text().await.unwrap();
        let location = self.press(&page, "allow").await;
        query(&location).remove("code").expect("a code")
    }

    pub async fn post(&self, path: &str, form: &[(&str, &str)]) -> Response {
        self.http.post(format!("{}{path}", self.issuer)).form(form).send().await.unwrap()
    }

    /// Sends a token request and returns the status and the body.
    pub async fn token(&self, form: &[(&str, &str)]) -> (StatusCode, Value) {
        let response = self.post("/token", form).await;
        (response.status(), response.json().await.unwrap())
    }

    pub async fn exchange(&self, client_id: &str, code: &str) -> (StatusCode, Value) {
        self.token(&[
            ("grant_type", "authorization_code"),
            ("client_id", client_id),
            ("code", code),
            ("code_verifier", VERIFIER),
            ("redirect_uri", REDIRECT),
            ("resource", &self.resource),
        ])
        .await
    }

    pub async fn refresh(&self, client_id: &str, refresh_token: &str) -> (StatusCode, Value) {
        self.token(&[
            ("grant_type", "refresh_token"),
            ("client_id", client_id),
            ("refresh_token", refresh_token),
            ("resource", &self.resource),
        ])
        .await
    }

    /// Registers a client, allows its authorization request and exchanges the code.
    pub async fn sign_in(&self) -> SignedIn {
        self.sign_in_with_scope("openid notes:read notes:write offline_access").await
    }

    pub async fn sign_in_with_scope(&self, scope: &str) -> SignedIn {
        let client_id = self.register().await;
        let request = with_field(self.request(&client_id), "scope", scope);
        let code = self.code(&request).await;
        let (status, tokens) = self.exchange(&client_id, &code).await;
        assert_eq!(status, StatusCode::OK, "{tokens}");
        SignedIn {
            client_id,
            access_token: text(&tokens, "access_token"),
            refresh_token: tokens["refresh_token"].as_str().unwrap_or_default().to_owned(),
            code,
            tokens,
        }
    }

    /// Sends one JSON-RPC message without a session, as version 2026-07-28 does.
    pub async fn mcp(&self, access_token: Option<&str>, message: Value) -> Response {
        let mut request = self
            .http
            .post(&self.resource)
            .header("accept", "application/json, text/event-stream")
            .header("mcp-protocol-version", "2026-07-28")
            .header("mcp-method", message["method"].as_str().unwrap_or_default());
        if let Some(name) = message["params"]["name"].as_str() {
            request = request.header("mcp-name", name);
        }
        if let Some(token) = access_token {
            request = request.bearer_auth(token);
        }
        request.json(&message).send().await.unwrap()
    }

    /// Whether the MCP server accepts this token.
    pub async fn may_list_tools(&self, access_token: &str) -> bool {
        let response = self.mcp(Some(access_token), call("tools/list", json!({}))).await;
        match response.status() {
            StatusCode::OK => true,
            StatusCode::UNAUTHORIZED => false,
            status => panic!("unexpected {status}"),
        }
    }
}

pub struct SignedIn {
    pub client_id: String,
    pub code: String,
    pub access_token: String,
    pub refresh_token: String,
    pub tokens: Value,
}

/// Returns a JSON-RPC request with the metadata that version 2026-07-28 requires.
pub fn call(method: &str, mut params: Value) -> Value {
    params["_meta"] = json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientInfo": { "name": "test", "version": "1" },
        "io.modelcontextprotocol/clientCapabilities": {},
    });
    json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params })
}

/// Returns the request with one field changed. An empty value removes the field.
pub fn with_field<'a>(mut request: Fields<'a>, name: &'a str, value: &str) -> Fields<'a> {
    request.retain(|(key, _)| *key != name);
    if !value.is_empty() {
        request.push((name, value.to_owned()));
    }
    request
}

pub fn query(location: &str) -> HashMap<String, String> {
    Url::parse(location).unwrap().query_pairs().into_owned().collect()
}

pub fn text(value: &Value, field: &str) -> String {
    value[field].as_str().unwrap_or_else(|| panic!("no string `{field}` in {value}")).to_owned()
}
