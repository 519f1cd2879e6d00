//! Dynamic client registration (RFC 7591), with one redirect URI or none. After a rejection, less metadata is sent.

use http::header::{self, HeaderMap, HeaderValue};
use http::{Method, StatusCode};
use jiff::Timestamp;
use secrecy::SecretString;
use serde_json::{Value, json};
use usher_budgets as budgets;

use crate::display_text::display_text_option;
use crate::http_client::{Request, Response};
use crate::json_document::{Document, is_transient, transient};
use crate::{
    AuthMethod, AuthorizationServerMetadata, CLIENT_NAME, ClientRegistration, Endpoint, Error, ErrorKind,
    HttpClient, RedirectUri, RegisteredClient, RegistrationKind, Scopes, Step, grant_type,
};

/// The redirect of a client that needs none.
const UNUSED_REDIRECT: &str = "http://127.0.0.1/oauth/callback";

pub(crate) async fn register_client(
    http: &HttpClient,
    metadata: &AuthorizationServerMetadata,
    redirect: Option<&RedirectUri>,
    scopes: &Scopes,
    now: Timestamp,
) -> Result<RegisteredClient, Error> {
    let Some(endpoint) = &metadata.registration_endpoint else {
        let host = metadata.issuer.host();
        return Err(Error::new(Step::Registration, host.as_deref(), ErrorKind::RegistrationUnsupported));
    };
    let supported = metadata.token_endpoint_auth_methods_supported.as_deref();
    let auth_method = AuthMethod::choose_for_registration(supported);
    let mut metadata_fields = json!({
        "client_name": CLIENT_NAME,
        "application_type": "native",
        "token_endpoint_auth_method": auth_method.as_str(),
    });
    // The fields that every request needs.
    let required: &[&str] = match redirect {
        Some(redirect) => {
            metadata_fields["redirect_uris"] = json!([redirect.as_str()]);
            metadata_fields["grant_types"] = json!(["authorization_code", "refresh_token"]);
            metadata_fields["response_types"] = json!(["code"]);
            &["client_name", "redirect_uris"]
        }
        // By default, a client may not use the device authorization grant (RFC 7591 §2).
        None => {
            metadata_fields["grant_types"] = json!([grant_type::DEVICE_CODE, "refresh_token"]);
            metadata_fields["response_types"] = json!([]);
            &["client_name", "grant_types"]
        }
    };
    // Some servers grant only the scopes that the client registered with. Others reject the field.
    let fewer_fields: &[&[&str]] = match scopes.is_empty() {
        true => &[&[]],
        false => {
            metadata_fields["scope"] = scopes.to_string().into();
            &[&["scope"], &[]]
        }
    };
    let mut response = post(http, endpoint, &metadata_fields).await?;
    if redirect.is_none() && rejects_redirect(&response) {
        // Some servers require a redirect, although this grant has none. Usher never uses it.
        let grant_types = [grant_type::DEVICE_CODE, "authorization_code", "refresh_token"];
        metadata_fields["redirect_uris"] = json!([UNUSED_REDIRECT]);
        metadata_fields["grant_types"] = json!(grant_types);
        metadata_fields["response_types"] = json!(["code"]);
        response = post(http, endpoint, &metadata_fields).await?;
    }
    for optional in fewer_fields {
        if may_accept_less(&response) {
            let names = required.iter().chain(*optional);
            let fields = names.map(|name| ((*name).to_owned(), metadata_fields[*name].clone()));
            response = post(http, endpoint, &Value::Object(fields.collect())).await?;
        }
    }
    let client = match response.status.is_success() {
        true => accept(&response, metadata, redirect),
        false => Err(rejection(&response, now)),
    };
    client.map_err(|kind| Error::new(Step::Registration, Some(endpoint.host()), kind))
}

async fn post(http: &HttpClient, endpoint: &Endpoint, body: &Value) -> Result<Response, Error> {
    let json = HeaderValue::from_static("application/json");
    let headers = HeaderMap::from_iter([(header::ACCEPT, json.clone()), (header::CONTENT_TYPE, json)]);
    let body = body.to_string().into_bytes();
    let request = Request { method: Method::POST, url: endpoint.url().clone(), headers, body, prover: None };
    http.send(Step::Registration, request, http.deadlines().request).await
}

/// Whether a retry with less metadata may succeed. Some servers reject unknown fields. A rejected redirect is final.
fn may_accept_less(response: &Response) -> bool {
    let rejected = matches!(response.status, StatusCode::BAD_REQUEST | StatusCode::UNPROCESSABLE_ENTITY);
    rejected && !rejects_redirect(response)
}

fn rejects_redirect(response: &Response) -> bool {
    let rejected = matches!(
        response.status,
        StatusCode::BAD_REQUEST
            | StatusCode::UNAUTHORIZED
            | StatusCode::FORBIDDEN
            | StatusCode::UNPROCESSABLE_ENTITY
    );
    // Many servers do not use the RFC's `invalid_redirect_uri` but mention the redirect in the text of another error.
    rejected && String::from_utf8_lossy(&response.body).to_ascii_lowercase().contains("redirect")
}

fn rejection(response: &Response, now: Timestamp) -> ErrorKind {
    let why = Document::parse(&response.body).ok().and_then(|document| {
        let texts = ["error_description", "message", "error"];
        texts.iter().find_map(|name| display_text_option(document.string(name)))
    });
    match response.status {
        _ if rejects_redirect(response) => ErrorKind::RedirectRejected { why },
        StatusCode::NOT_FOUND
        | StatusCode::METHOD_NOT_ALLOWED
        | StatusCode::GONE
        | StatusCode::NOT_IMPLEMENTED => ErrorKind::RegistrationUnsupported,
        status if is_transient(status) => transient(response, Some(now)),
        status => ErrorKind::RegistrationRejected { status: status.as_u16(), why },
    }
}

/// Returns the client as the server registered it. The server may change the requested metadata (RFC 7591 §3.2.1).
fn accept(
    response: &Response,
    metadata: &AuthorizationServerMetadata,
    redirect: Option<&RedirectUri>,
) -> Result<RegisteredClient, ErrorKind> {
    let document = Document::parse(&response.body)?;
    let Some(client_id) = document.string("client_id") else {
        if document.string("error").is_some() {
            let why = display_text_option(document.string("error_description").or(document.string("error")));
            return Err(ErrorKind::RegistrationRejected { status: response.status.as_u16(), why });
        }
        return Err(ErrorKind::Malformed { what: "it has no client ID".to_owned() });
    };
    let registered = document.strings("redirect_uris").unwrap_or_default();
    if let Some(redirect) = redirect
        && !registered.is_empty()
        && !registered.iter().any(|uri| uri == redirect.as_str())
    {
        return Err(ErrorKind::RedirectRejected { why: None });
    }
    if client_id.len() > budgets::CLIENT_ID_BYTES || !client_id.bytes().all(is_visible) {
        return Err(ErrorKind::Malformed { what: "its client ID is too long or not plain text".to_owned() });
    }
    let secret = document.string("client_secret");
    if secret.is_some_and(|secret| secret.len() > budgets::CLIENT_SECRET_BYTES) {
        return Err(ErrorKind::Malformed { what: "its client secret is longer than 8 kB".to_owned() });
    }
    let secret = secret.map(SecretString::from);
    let supported = metadata.token_endpoint_auth_methods_supported.as_deref();
    // A registered client has no key.
    let registered = document.string("token_endpoint_auth_method").and_then(AuthMethod::parse);
    let auth_method = match registered.filter(|method| *method != AuthMethod::PrivateKeyJwt) {
        Some(method) if secret.is_some() || method == AuthMethod::None => method,
        _ => AuthMethod::choose(secret.is_some(), supported),
    };
    // The secret is kept even if the method needs none, because some servers ask for it anyway.
    let expires_at = secret.as_ref().and_then(|_| document.seconds("client_secret_expires_at"));
    let registration = ClientRegistration {
        client_id: client_id.to_owned(),
        auth_method,
        redirect_uri: redirect.cloned(),
        issuer: metadata.issuer.clone(),
        kind: RegistrationKind::Dynamic,
        secret_expires_at: expires_at.and_then(|at| Timestamp::from_second(i64::try_from(at).ok()?).ok()),
    };
    Ok(RegisteredClient { registration, secret })
}

/// Whether the byte may be part of a client ID (RFC 6749 appendix A.1).
fn is_visible(byte: u8) -> bool {
    matches!(byte, 0x20..=0x7E)
}
