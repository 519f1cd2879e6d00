//! Token revocation (RFC 7009).

use http::Method;
use http::header::HeaderMap;
use secrecy::{ExposeSecret, SecretString};

use crate::client_authentication::{ClientAuthentication, Form, form_headers};
use crate::echo::Sent;
use crate::http_client::Request;
use crate::json_document::{is_transient, transient};
use crate::token_response::error_response;
use crate::{Error, ErrorKind, Grant, HttpClient, RefreshToken, Step};

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
            Err(failed(error_response(&response, &sent)))
        }
    }
}

fn request_parts(
    grant: &Grant,
    client_secret: Option<&SecretString>,
) -> Result<(HeaderMap, Vec<u8>), ErrorKind> {
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
    ClientAuthentication { client_id, method, secret: client_secret, key: None }
        .apply(&mut headers, &mut form)?;
    Ok((headers, form.into_bytes()))
}
