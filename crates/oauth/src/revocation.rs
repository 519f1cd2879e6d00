//! Token revocation (RFC 7009).

use http::Method;
use http::header::HeaderMap;
use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};

use crate::client_authentication::{AssertionKey, ClientAuthentication, Form, form_headers};
use crate::echo::Sent;
use crate::http_client::Request;
use crate::json_document::{is_transient, transient};
use crate::token_response::error_response;
use crate::{ClientSettings, Error, ErrorKind, Grant, HttpClient, RefreshToken, Step};

/// Revokes the refresh token, or the access token if there is none. Does nothing if the authorization server has no
/// revocation endpoint.
pub async fn revoke(
    http: &HttpClient,
    grant: &Grant,
    client_secret: Option<&SecretString>,
) -> Result<(), Error> {
    send(http, grant, client_secret, None).await
}

/// Like [`revoke`], for a client that signs assertions with the key of the settings.
pub async fn revoke_with_key(
    http: &HttpClient,
    grant: &Grant,
    settings: &ClientSettings,
    now: Timestamp,
) -> Result<(), Error> {
    let audience = settings.assertion_audience.as_deref().unwrap_or(grant.binding.issuer.as_str());
    let key = settings.signing_key.as_deref().map(|key| AssertionKey { key, audience, now });
    send(http, grant, None, key).await
}

async fn send(
    http: &HttpClient,
    grant: &Grant,
    client_secret: Option<&SecretString>,
    key: Option<AssertionKey<'_>>,
) -> Result<(), Error> {
    let binding = &grant.binding;
    let Some(endpoint) = &binding.revocation_endpoint else { return Ok(()) };
    let failed = |kind| Error::new(Step::Revocation, Some(endpoint.host()), kind);
    let (headers, body, assertion) = request_parts(grant, client_secret, key).map_err(failed)?;
    let request = Request { method: Method::POST, url: endpoint.url().clone(), headers, body, prover: None };
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
            Err(failed(error_response(&response, &sent.with(assertion))))
        }
    }
}

fn request_parts(
    grant: &Grant,
    client_secret: Option<&SecretString>,
    key: Option<AssertionKey<'_>>,
) -> Result<(HeaderMap, Vec<u8>, Option<SecretString>), ErrorKind> {
    let mut headers = form_headers();
    let mut form = Form::default();
    match &grant.refresh_token {
        Some(token) => {
            form.append_pair("token", token.expose()).append_pair("token_type_hint", "refresh_token")
        }
        None => form
            .append_pair("token", grant.access_token.expose())
            .append_pair("token_type_hint", "access_token"),
    };
    let binding = &grant.binding;
    let (client_id, method) = (binding.client_id.as_str(), binding.auth_method);
    let authentication = ClientAuthentication { client_id, method, secret: client_secret, key };
    let assertion = authentication.apply(&mut headers, &mut form)?;
    Ok((headers, form.into_bytes(), assertion))
}
