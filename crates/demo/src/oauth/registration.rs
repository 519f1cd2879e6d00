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
use super::device;
use super::error::{OAuthError, no_store};
use super::redirect::{self, RedirectKind};
use super::signing::random_id;
use crate::service::Service;

const MAX_REDIRECT_URIS: usize = 5;
const MAX_NAME: usize = 60;

/// The supported fields of a registration and their values. Other fields are ignored (RFC 7591 §2).
#[derive(Deserialize)]
struct ClientMetadata {
    #[serde(default)]
    redirect_uris: Vec<String>,
    client_name: Option<String>,
    application_type: Option<ApplicationType>,
    token_endpoint_auth_method: Option<AuthMethod>,
    grant_types: Option<Vec<GrantType>>,
    #[expect(dead_code, reason = "deserialising checks its values; nothing reads the field")]
    response_types: Option<Vec<ResponseType>>,
}

#[derive(PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum ApplicationType {
    Native,
    Web,
}

#[derive(PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum GrantType {
    AuthorizationCode,
    RefreshToken,
    #[serde(rename = "urn:ietf:params:oauth:grant-type:device_code")]
    DeviceCode,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum ResponseType {
    Code,
}

/// `POST /register`
pub(crate) async fn register(
    State(service): State<Arc<Service>>,
    body: Bytes,
) -> Result<Response, OAuthError> {
    let metadata: ClientMetadata = serde_json::from_slice(&body)
        .map_err(|error| OAuthError::new("invalid_client_metadata", error.to_string()))?;
    let client = client(&service, metadata)?;
    let client_id = client.id(&service.signer);

    let grant_types = [
        (!client.redirect_uris.is_empty()).then_some("authorization_code"),
        client.may_use_device.then_some(device::GRANT_TYPE),
        client.may_refresh.then_some("refresh_token"),
    ];
    let response_types = if client.redirect_uris.is_empty() { vec![] } else { vec!["code"] };
    let mut response = json!({
        "client_id": client_id,
        "client_id_issued_at": service.clock.now().as_second(),
        "client_name": client.name,
        "redirect_uris": client.redirect_uris,
        "token_endpoint_auth_method": client.auth_method,
        "grant_types": grant_types.into_iter().flatten().collect::<Vec<_>>(),
        "response_types": response_types,
    });
    if client.auth_method != AuthMethod::None {
        response["client_secret"] = service.signer.client_secret(&client_id).into();
        response["client_secret_expires_at"] = 0.into();
    }
    Ok((StatusCode::CREATED, no_store(), Json(response)).into_response())
}

fn client(service: &Service, metadata: ClientMetadata) -> Result<Client, OAuthError> {
    let grant_types =
        metadata.grant_types.unwrap_or_else(|| vec![GrantType::AuthorizationCode, GrantType::RefreshToken]);
    let lacks_redirect =
        metadata.redirect_uris.is_empty() && grant_types.contains(&GrantType::AuthorizationCode);
    if lacks_redirect || metadata.redirect_uris.len() > MAX_REDIRECT_URIS {
        return Err(invalid_redirect("redirect_uris must contain one to five URIs"));
    }
    for uri in &metadata.redirect_uris {
        let kind = redirect::may_register(uri, service.options.redirects).map_err(invalid_redirect)?;
        if metadata.application_type == Some(ApplicationType::Web) && kind != RedirectKind::Web {
            return Err(invalid_redirect("a web application's redirect_uri must be https"));
        }
    }
    Ok(Client {
        issuer: service.issuer.clone(),
        name: metadata
            .client_name
            .as_deref()
            .map(clean_name)
            .filter(|name| !name.is_empty())
            .unwrap_or_else(|| "An unnamed app".to_owned()),
        // RFC 7591 §2: the default method is HTTP Basic.
        auth_method: metadata.token_endpoint_auth_method.unwrap_or(AuthMethod::ClientSecretBasic),
        may_refresh: grant_types.contains(&GrantType::RefreshToken),
        may_use_device: grant_types.contains(&GrantType::DeviceCode),
        redirect_uris: metadata.redirect_uris,
        epoch: service.epochs.clients.current(),
        nonce: random_id(),
    })
}

/// Returns the name on one line, without control and bidirectional characters, cut to a maximum length.
fn clean_name(name: &str) -> String {
    let shown = |c: &char| {
        !c.is_control()
            && !matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
    };
    name.chars().filter(shown).take(MAX_NAME).collect::<String>().trim().to_owned()
}

fn invalid_redirect(description: &str) -> OAuthError {
    OAuthError::new("invalid_redirect_uri", description)
}
