//! Grants that Usher gets without a person: client credentials (RFC 6749 §4.4), with a secret or a signed assertion; and
//! assertions of the platform or of an identity provider (RFC 7523 §2.1).

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};

use crate::id_jag::{Subject, request_id_jag};
use crate::json_document::Document;
use crate::token_endpoint::TokenEndpoint;
use crate::token_request::TokenRequest;
use crate::{
    AuthMethod, ClientSettings, Discovered, Error, ErrorKind, Flow, Grant, GrantBinding, HttpClient,
    MetadataSource, Scopes, Step,
};

/// The seconds by which clocks may differ.
const CLOCK_SKEW: i64 = 60;

impl Discovered {
    /// Returns the binding of the grant that the configured client gets. Fails if the settings lack something.
    pub fn unattended_binding(&self, settings: &ClientSettings) -> Result<GrantBinding, Error> {
        let issuer = &self.metadata.issuer;
        let failed = |kind| Error::new(Step::Registration, issuer.host().as_deref(), kind);
        let missing = |what| failed(ErrorKind::SettingMissing { what });
        if let Some(pinned) = settings.issuer.as_ref().filter(|pinned| !pinned.matches(issuer.as_str())) {
            let kind = ErrorKind::IssuerMismatch { expected: pinned.to_string(), found: issuer.to_string() };
            return Err(failed(kind));
        }
        // The assertion of the platform identifies the client.
        let needs_client = settings.flow != Flow::JwtBearer;
        let client_id = match &settings.client_id {
            Some(client_id) => client_id.clone(),
            None if needs_client => return Err(missing("a client ID")),
            None => String::new(),
        };
        let supported = self.metadata.token_endpoint_auth_methods_supported.as_deref();
        let auth_method = if settings.signing_key.is_some() {
            AuthMethod::PrivateKeyJwt
        } else if settings.client_secret.is_some() {
            let method = self.quirks.auth_method.unwrap_or_else(|| AuthMethod::choose(true, supported));
            // Metadata that lists only `none` is about clients that act for a person.
            if method.needs_secret() { method } else { AuthMethod::ClientSecretBasic }
        } else if settings.flow == Flow::ClientCredentials {
            return Err(missing("a client secret or a private key"));
        } else {
            AuthMethod::None
        };
        Ok(GrantBinding {
            issuer: issuer.clone(),
            token_endpoint: self.metadata.token_endpoint.clone(),
            revocation_endpoint: self.own_revocation_endpoint().cloned(),
            client_id,
            auth_method,
            resource: self.resource.clone(),
            sends_resource: self.sends_resource,
            sends_scope: true,
            has_configured_endpoints: self.source == MetadataSource::Settings,
            sends_proof: self.uses_dpop(),
        })
    }
}

impl GrantBinding {
    /// Replaces the client and its authentication method by those that the settings name now. The method with which a
    /// secret was sent is kept if the settings still have a secret.
    pub fn with_client_of(self, settings: &ClientSettings) -> Self {
        let auth_method = match (&settings.signing_key, &settings.client_secret) {
            (Some(_), _) => AuthMethod::PrivateKeyJwt,
            (None, Some(_)) if self.auth_method.needs_secret() => self.auth_method,
            (None, Some(_)) => AuthMethod::ClientSecretBasic,
            (None, None) => AuthMethod::None,
        };
        GrantBinding { client_id: settings.client_id.clone().unwrap_or_default(), auth_method, ..self }
    }
}

/// Gets a grant at the token endpoint of `binding`, with the client of the settings. `step` is [`Step::TokenExchange`]
/// for the first grant, and [`Step::Refresh`] for one that replaces it. A grant without a person never has a refresh
/// token.
///
/// `binding` may be that of a grant from before a change of the settings. Its client and its authentication method are
/// therefore replaced by those of the settings; see [`GrantBinding::with_client_of`].
pub async fn request_unattended(
    http: &HttpClient,
    binding: GrantBinding,
    settings: &ClientSettings,
    scopes: &Scopes,
    step: Step,
    now: Timestamp,
) -> Result<Grant, Error> {
    let binding = binding.with_client_of(settings);
    let missing =
        |what| Error::new(step, Some(binding.token_endpoint.host()), ErrorKind::SettingMissing { what });
    let assertion = match settings.flow {
        Flow::Browser | Flow::Device | Flow::ClientCredentials => None,
        Flow::JwtBearer => {
            let failed = |kind| Error::new(step, Some(binding.token_endpoint.host()), kind);
            let assertion = settings.assertion.clone().ok_or_else(|| failed(ErrorKind::AssertionMissing))?;
            if is_expired(&assertion, now) {
                return Err(failed(ErrorKind::AssertionExpired));
            }
            Some(assertion)
        }
        Flow::Enterprise => {
            let provider =
                settings.identity_provider.as_ref().ok_or_else(|| missing("an identity provider"))?;
            let scope = (!scopes.is_empty()).then(|| scopes.to_string());
            let (audience, resource) = (binding.issuer.as_str(), binding.resource.as_str());
            Some(request_id_jag(provider, Subject { audience, resource, scope }, now).await?)
        }
    };
    let mut endpoint = TokenEndpoint { http: http.clone(), step, now, binding };
    let request = TokenRequest::Unattended { settings, scopes, assertion: assertion.as_ref() };
    endpoint.request(request).await.map_err(|failed| failed.error)
}

/// Whether the assertion states that it has expired, with a minute for clocks that differ. Anything that cannot be read is
/// left to the authorization server.
fn is_expired(assertion: &SecretString, now: Timestamp) -> bool {
    let claims = assertion.expose_secret().split('.').nth(1);
    let claims = claims.and_then(|claims| BASE64_URL_SAFE_NO_PAD.decode(claims.trim_end_matches('=')).ok());
    let expires_at = claims.and_then(|claims| Document::parse(&claims).ok()?.seconds("exp"));
    let expires_at = expires_at.and_then(|seconds| i64::try_from(seconds).ok());
    expires_at.is_some_and(|expires_at| expires_at + CLOCK_SKEW < now.as_second())
}
