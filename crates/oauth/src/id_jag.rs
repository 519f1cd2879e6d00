//! The identity assertion of enterprise-managed authorization (ID-JAG): a token exchange (RFC 8693) at the person's
//! identity provider.

use http::Method;
use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};

use crate::client_authentication::{ClientAuthentication, Form, form_headers};
use crate::echo::Sent;
use crate::grant_type::TOKEN_EXCHANGE;
use crate::http_client::Request;
use crate::json_document::{Document, is_transient, transient};
use crate::token_response::{error_response, is_usable};
use crate::{AuthMethod, Error, ErrorKind, HttpClient, IdentityProvider, ServerUrl, Step};

const ID_JAG: &str = "urn:ietf:params:oauth:token-type:id-jag";
const ID_TOKEN: &str = "urn:ietf:params:oauth:token-type:id_token";

/// The service that the assertion is for.
pub(crate) struct Subject<'a> {
    /// The issuer of the authorization server.
    pub(crate) audience: &'a str,
    pub(crate) resource: &'a str,
    pub(crate) scope: Option<String>,
}

/// Gets a new assertion. It can be used once, and is never stored.
pub(crate) async fn request_id_jag(
    provider: &IdentityProvider,
    subject: Subject<'_>,
    now: Timestamp,
) -> Result<SecretString, Error> {
    let endpoint = &provider.token_endpoint;
    let failed = |kind| Error::new(Step::TokenExchange, Some(endpoint.host()), kind);
    // The person named the identity provider, which may be in another network than the service.
    let http = HttpClient::for_server(&ServerUrl::parse(endpoint.as_str())?).await?;
    let (mut headers, mut form) = (form_headers(), Form::default());
    let id_token = provider.id_token.expose_secret();
    form.append_pair("grant_type", TOKEN_EXCHANGE)
        .append_pair("requested_token_type", ID_JAG)
        .append_pair("audience", subject.audience)
        .append_pair("resource", subject.resource)
        .append_pair("subject_token", id_token)
        .append_pair("subject_token_type", ID_TOKEN);
    if let Some(scope) = &subject.scope {
        form.append_pair("scope", scope);
    }
    let (client_id, secret) = (provider.client_id.as_str(), provider.client_secret.as_ref());
    let method = if secret.is_some() { AuthMethod::ClientSecretPost } else { AuthMethod::None };
    let authentication = ClientAuthentication { client_id, method, secret, key: None };
    authentication.apply(&mut headers, &mut form).map_err(failed)?;
    let url = endpoint.url().clone();
    let request = Request { method: Method::POST, url, headers, body: form.into_bytes(), prover: None };
    let response = http.send(Step::TokenExchange, request, http.deadlines().token).await?;
    if is_transient(response.status) {
        return Err(failed(transient(&response, Some(now))));
    }
    if !response.status.is_success() {
        let sent = Sent::new([id_token].into_iter().chain(secret.map(ExposeSecret::expose_secret)));
        return Err(failed(error_response(&response, &sent)));
    }
    let document = Document::parse(&response.body).map_err(failed)?;
    let malformed = |what: &str| failed(ErrorKind::Malformed { what: what.to_owned() });
    // An access token of the identity provider must not reach the authorization server.
    let is_assertion = document.string("token_type").is_some_and(|kind| kind.eq_ignore_ascii_case("N_A"));
    if document.string("issued_token_type") != Some(ID_JAG) || !is_assertion {
        return Err(malformed("it is not an identity assertion"));
    }
    let assertion = document.string("access_token").filter(|assertion| is_usable(assertion));
    Ok(assertion.ok_or_else(|| malformed("it has no usable assertion"))?.into())
}
