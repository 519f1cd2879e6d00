//! Dynamic client registration (RFC 7591).

use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::json;

use super::client::{AuthMethod, Client};
use super::error::{OAuthError, no_store};
use super::redirect::{self, RedirectKind};
use super::signing::random_id;
use crate::options::ClientPolicy;
use crate::service::Service;

const MAX_REDIRECT_URIS: usize = 5;
const MAX_NAME: usize = 60;

/// The supported fields of a registration. Others are ignored (RFC 7591 §2).
#[derive(Deserialize)]
struct ClientMetadata {
    #[serde(default)]
    redirect_uris: Vec<String>,
    client_name: Option<String>,
    application_type: Option<String>,
    token_endpoint_auth_method: Option<String>,
    grant_types: Option<Vec<String>>,
    response_types: Option<Vec<String>>,
}

/// `POST /register`
pub(crate) async fn register(
    State(service): State<Arc<Service>>,
    body: Bytes,
) -> Result<Response, OAuthError> {
    if service.options.clients == ClientPolicy::NoRegistration {
        return Ok(StatusCode::NOT_FOUND.into_response());
    }
    let metadata: ClientMetadata = serde_json::from_slice(&body)
        .map_err(|_| invalid_metadata("the body is not valid client metadata"))?;
    let client = client(&service, metadata)?;
    let client_id = client.id(&service.signer);

    let mut response = json!({
        "client_id": client_id,
        "client_id_issued_at": service.clock.now().as_second(),
        "client_name": client.name,
        "redirect_uris": client.redirect_uris,
        "token_endpoint_auth_method": client.auth_method,
        "grant_types": if client.may_refresh { vec!["authorization_code", "refresh_token"] } else { vec!["authorization_code"] },
        "response_types": ["code"],
    });
    if client.auth_method != AuthMethod::None {
        response["client_secret"] = service.signer.client_secret(&client_id).into();
        response["client_secret_expires_at"] = 0.into();
    }
    Ok((StatusCode::CREATED, no_store(), Json(response)).into_response())
}

fn client(service: &Service, metadata: ClientMetadata) -> Result<Client, OAuthError> {
    if metadata.redirect_uris.is_empty() || metadata.redirect_uris.len() > MAX_REDIRECT_URIS {
        return Err(invalid_redirect("redirect_uris must contain one to five URIs"));
    }
    let is_web = match metadata.application_type.as_deref() {
        None | Some("native") => false,
        Some("web") => true,
        Some(_) => return Err(invalid_metadata("application_type must be native or web")),
    };
    for uri in &metadata.redirect_uris {
        let kind = redirect::may_register(uri, service.options.redirects).map_err(invalid_redirect)?;
        if is_web && kind != RedirectKind::Web {
            return Err(invalid_redirect("a web application's redirect_uri must be https"));
        }
    }
    let only = |values: &Option<Vec<String>>, known: &[&str]| {
        values.iter().flatten().all(|value| known.contains(&value.as_str()))
    };
    if !only(&metadata.grant_types, &["authorization_code", "refresh_token"]) {
        return Err(invalid_metadata("grant_types may contain only authorization_code and refresh_token"));
    }
    if !only(&metadata.response_types, &["code"]) {
        return Err(invalid_metadata("response_types may contain only code"));
    }
    Ok(Client {
        issuer: service.issuer().to_owned(),
        name: metadata
            .client_name
            .as_deref()
            .map(clean_name)
            .filter(|name| !name.is_empty())
            .unwrap_or_else(|| "An unnamed app".to_owned()),
        auth_method: auth_method(service, metadata.token_endpoint_auth_method.as_deref())?,
        may_refresh: metadata
            .grant_types
            .is_none_or(|types| types.iter().any(|kind| kind == "refresh_token")),
        redirect_uris: metadata.redirect_uris,
        epoch: service.epochs.clients(),
        nonce: random_id(),
    })
}

fn auth_method(service: &Service, requested: Option<&str>) -> Result<AuthMethod, OAuthError> {
    // RFC 7591 §2: the default method is HTTP Basic.
    let requested = AuthMethod::parse(requested.unwrap_or("client_secret_basic"))
        .ok_or_else(|| invalid_metadata("this token_endpoint_auth_method is not supported"))?;
    match (service.options.clients, requested) {
        (ClientPolicy::ConfidentialOnly, AuthMethod::None) => Ok(AuthMethod::ClientSecretBasic),
        (ClientPolicy::Any | ClientPolicy::ConfidentialOnly | ClientPolicy::NoRegistration, requested) => {
            Ok(requested)
        }
    }
}

/// Returns the name on one line, without control and bidirectional characters, cut to a maximum length.
fn clean_name(name: &str) -> String {
    let shown = |c: &char| {
        !c.is_control()
            && !matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
    };
    name.chars().filter(shown).take(MAX_NAME).collect::<String>().trim().to_owned()
}

fn invalid_metadata(description: impl Into<String>) -> OAuthError {
    OAuthError::new("invalid_client_metadata", description)
}

fn invalid_redirect(description: impl Into<String>) -> OAuthError {
    OAuthError::new("invalid_redirect_uri", description)
}
