//! Metadata (RFC 9728, RFC 8414), client registration (RFC 7591) and an authorization endpoint that approves at once.

use std::collections::HashMap;

use serde_json::{Value, json};
use url::Url;

use crate::Reply;
use crate::clients::Code;
use crate::lock::lock;
use crate::request::Request;
use crate::state::Shared;

pub(crate) const RESOURCE_METADATA: &str = "/.well-known/oauth-protected-resource/mcp";
pub(crate) const SERVER_METADATA: &str = "/.well-known/oauth-authorization-server";

impl Shared {
    pub fn resource_metadata(&self) -> Value {
        json!({ "resource": self.resource(), "authorization_servers": [self.origin] })
    }

    pub fn server_metadata(&self) -> Value {
        let origin = &self.origin;
        let metadata = json!({
            "issuer": origin,
            "authorization_endpoint": format!("{origin}/authorize"),
            "token_endpoint": format!("{origin}/token"),
            "registration_endpoint": format!("{origin}/register"),
            "response_types_supported": ["code"],
            "grant_types_supported": ["authorization_code", "refresh_token"],
            "code_challenge_methods_supported": ["S256"],
            "token_endpoint_auth_methods_supported": ["none"],
            "authorization_response_iss_parameter_supported": true,
        });
        merged(metadata, lock(&self.script).metadata_changes.clone())
    }

    pub fn register(&self, request: &Request) -> Reply {
        let redirect_uris = request.json()["redirect_uris"].clone();
        let Ok(uris) = serde_json::from_value(redirect_uris.clone()) else {
            return Reply::oauth_error(400, "invalid_redirect_uri");
        };
        let mut clients = lock(&self.clients);
        let client_id = format!("client-{}", clients.redirect_uris.len());
        clients.redirect_uris.insert(client_id.clone(), uris);
        let registered = json!({
            "client_id": client_id, "redirect_uris": redirect_uris, "token_endpoint_auth_method": "none",
        });
        Reply::json_with(201, registered)
    }

    /// Approves the request and returns the callback. `address` is the authorization URL or the request line.
    pub fn authorize(&self, address: &str) -> Result<String, &'static str> {
        let query = address.split_once('?').map_or("", |(_, query)| query);
        let parameters: HashMap<String, String> =
            url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        let parameter = |name: &str| parameters.get(name).cloned().unwrap_or_default();
        let (client_id, redirect_uri) = (parameter("client_id"), parameter("redirect_uri"));
        let mut clients = lock(&self.clients);
        if !clients.redirect_uris.get(&client_id).is_some_and(|uris| uris.contains(&redirect_uri)) {
            return Err("unknown client or redirect");
        }
        if parameter("resource") != self.resource() || parameter("code_challenge_method") != "S256" {
            return Err("wrong resource or code challenge method");
        }
        let mut callback = Url::parse(&redirect_uri).map_err(|_| "redirect is not a URL")?;
        let code = format!("code-{:032x}", rand::random::<u128>());
        let state = parameter("state");
        callback.query_pairs_mut().extend_pairs([("code", &code), ("state", &state), ("iss", &self.origin)]);
        clients.codes.insert(code, Code { client_id, redirect_uri, challenge: parameter("code_challenge") });
        Ok(callback.into())
    }
}

/// Applies `changes` to the fields of `document`; null removes a field.
pub fn merged(mut document: Value, changes: Value) -> Value {
    if let (Value::Object(fields), Value::Object(changes)) = (&mut document, changes) {
        for (name, value) in changes {
            if value.is_null() {
                fields.shift_remove(&name);
            } else {
                fields.insert(name, value);
            }
        }
    }
    document
}
