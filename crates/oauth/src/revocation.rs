//! Token revocation (RFC 7009).

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use http::Method;
use http::header::{self, HeaderMap, HeaderValue};
use secrecy::{ExposeSecret, SecretString};
use url::form_urlencoded::{Serializer, byte_serialize};

use crate::echo::Sent;
use crate::http_client::Request;
use crate::json_document::{is_transient, transient};
use crate::token_response::error_response;
use crate::{AuthMethod, Error, ErrorKind, Grant, HttpClient, RefreshToken, Step};

/// Revokes the refresh token, or the access token if there is none. Does nothing if the authorization server has no
/// revocation endpoint.
pub async fn revoke(
    http: &HttpClient,
    grant: &Grant,
    client_secret: Option<&SecretString>,
) -> Result<(), Error> {
    let binding = &grant.binding;
    let Some(endpoint) = &binding.revocation_endpoint else { return Ok(()) };
    let failed = |kind| Error::new(Step::Revocation, Some(endpoint.host()), kind);
    let (headers, body) = request_parts(grant, client_secret).map_err(failed)?;
    let request = Request { method: Method::POST, url: endpoint.url().clone(), headers, body };
    let response = http.send(Step::Revocation, request, http.deadlines().request).await?;
    match response.status {
        status if status.is_success() => Ok(()),
        status if is_transient(status) => Err(failed(transient(&response, None))),
        _ => {
            let refresh_token = grant.refresh_token.as_ref().map(RefreshToken::expose);
            let secret = client_secret.map(ExposeSecret::expose_secret);
            let tokens = [Some(grant.access_token.expose()), refresh_token, secret];
            let sent = Sent::new(tokens.into_iter().flatten());
            let sent = match secret {
                Some(secret) => sent.with_basic(&binding.client_id, secret),
                None => sent,
            };
            Err(failed(error_response(&response, &sent)))
        }
    }
}

fn request_parts(
    grant: &Grant,
    client_secret: Option<&SecretString>,
) -> Result<(HeaderMap, Vec<u8>), ErrorKind> {
    let client_id = grant.binding.client_id.as_str();
    let secret = || client_secret.map(ExposeSecret::expose_secret).ok_or(ErrorKind::ClientSecretMissing);
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
    headers.insert(header::ACCEPT, HeaderValue::from_static("application/json"));
    let mut body = Serializer::new(String::new());
    match &grant.refresh_token {
        Some(token) => {
            body.append_pair("token", token.expose()).append_pair("token_type_hint", "refresh_token")
        }
        None => body
            .append_pair("token", grant.access_token.expose())
            .append_pair("token_type_hint", "access_token"),
    };
    match grant.binding.auth_method {
        AuthMethod::None => {
            body.append_pair("client_id", client_id);
        }
        AuthMethod::ClientSecretPost => {
            body.append_pair("client_id", client_id).append_pair("client_secret", secret()?);
        }
        AuthMethod::ClientSecretBasic => {
            // Some servers read the client ID only here.
            body.append_pair("client_id", client_id);
            headers.insert(header::AUTHORIZATION, basic(client_id, secret()?));
        }
    }
    Ok((headers, body.finish().into_bytes()))
}

/// Returns the header value of HTTP Basic authentication. It is always valid, because both parts are form-encoded first
/// (RFC 6749 §2.3.1).
fn basic(client_id: &str, secret: &str) -> HeaderValue {
    let encoded = |text: &str| byte_serialize(text.as_bytes()).collect::<String>();
    let credentials = BASE64_STANDARD.encode(format!("{}:{}", encoded(client_id), encoded(secret)));
    let mut value =
        HeaderValue::from_str(&format!("Basic {credentials}")).unwrap_or(HeaderValue::from_static("Basic"));
    value.set_sensitive(true);
    value
}
