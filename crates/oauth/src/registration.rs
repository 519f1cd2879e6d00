//! The choice of a client: pre-registered, metadata document, known, or newly registered.

use jiff::{SignedDuration, Timestamp};
use secrecy::SecretString;

use crate::dynamic_registration::register_client;
use crate::{
    AuthMethod, ClientRegistration, ClientSettings, Discovered, Error, ErrorKind, GrantBinding, HttpClient,
    MetadataSource, Prompt, RedirectUri, RegisteredClient, RegistrationKind, Scopes, Step,
};

/// The time a sign-in may take. A client secret that expires sooner counts as expired.
const EXPIRY_MARGIN: SignedDuration = SignedDuration::from_mins(10);

/// The input of [`Discovered::register`].
#[derive(Clone, Debug)]
pub struct RegistrationRequest<'a> {
    pub settings: &'a ClientSettings,
    /// `None` for the device authorization grant.
    pub redirect: Option<&'a RedirectUri>,
    /// Scopes that [`Registered::authorize`] will request in addition to the discovered ones.
    pub extra_scopes: &'a Scopes,
    /// The client of an earlier sign-in. It is used only if it was registered dynamically with the same issuer and
    /// redirect URI. If it needs a secret, the secret must be known and must not expire soon.
    pub known: Option<RegisteredClient>,
}

/// An authorization server with a client for it.
#[derive(Clone, Debug)]
pub struct Registered {
    pub(crate) discovered: Discovered,
    pub(crate) client: RegisteredClient,
    pub(crate) audience: Option<String>,
    pub(crate) parameters: Vec<(String, String)>,
    pub(crate) prompt: Prompt,
    pub(crate) allow_missing_pkce: bool,
}

impl Discovered {
    /// Chooses the first available client: the pre-registered client, the metadata document, the known client, or a
    /// newly registered client.
    ///
    /// A registration has one redirect URI, or none for the device authorization grant. After [`ErrorKind::RedirectRejected`], the caller can try another URI.
    pub async fn register(
        self,
        http: &HttpClient,
        request: RegistrationRequest<'_>,
        now: Timestamp,
    ) -> Result<Registered, Error> {
        let RegistrationRequest { settings, redirect, extra_scopes, known } = request;
        let mut client = match self.configured_client(settings, redirect)? {
            Some(client) => client,
            None => match known.filter(|client| self.is_reusable(client, redirect, now)) {
                Some(client) => client,
                None => {
                    let scopes = self.requested_scopes(extra_scopes);
                    register_client(http, &self.metadata, redirect, &scopes, now).await?
                }
            },
        };
        let learned =
            self.quirks.auth_method.filter(|method| client.secret.is_some() || !method.needs_secret());
        if let Some(method) = learned {
            client.registration.auth_method = method;
        }
        let (audience, prompt) = (settings.audience.clone(), settings.prompt.clone());
        let (parameters, allow_missing_pkce) = (settings.parameters.clone(), settings.allow_missing_pkce);
        Ok(Registered { discovered: self, client, audience, parameters, prompt, allow_missing_pkce })
    }

    fn configured_client(
        &self,
        settings: &ClientSettings,
        redirect: Option<&RedirectUri>,
    ) -> Result<Option<RegisteredClient>, Error> {
        let issuer = &self.metadata.issuer;
        let client = |client_id: &str, kind, secret: Option<SecretString>| {
            let supported = self.metadata.token_endpoint_auth_methods_supported.as_deref();
            let auth_method = AuthMethod::choose(secret.is_some(), supported);
            let (client_id, redirect_uri) = (client_id.to_owned(), redirect.cloned());
            let (issuer, secret_expires_at) = (issuer.clone(), None);
            let registration =
                ClientRegistration { client_id, auth_method, redirect_uri, issuer, kind, secret_expires_at };
            RegisteredClient { registration, secret }
        };
        if let Some(client_id) = &settings.client_id {
            if let Some(pinned) = settings.issuer.as_ref().filter(|pinned| !pinned.matches(issuer.as_str())) {
                let kind =
                    ErrorKind::IssuerMismatch { expected: pinned.to_string(), found: issuer.to_string() };
                return Err(Error::new(Step::Registration, issuer.host().as_deref(), kind));
            }
            return Ok(Some(client(
                client_id,
                RegistrationKind::PreRegistered,
                settings.client_secret.clone(),
            )));
        }
        let document = settings.metadata_document.as_ref();
        let document = document.filter(|_| self.metadata.client_id_metadata_document_supported);
        Ok(document.map(|url| client(url.as_str(), RegistrationKind::MetadataDocument, None)))
    }

    fn is_reusable(&self, client: &RegisteredClient, redirect: Option<&RedirectUri>, now: Timestamp) -> bool {
        let registration = &client.registration;
        registration.kind == RegistrationKind::Dynamic
            && registration.issuer == self.metadata.issuer
            && registration.redirect_uri.as_ref() == redirect
            && (client.secret.is_some() || !registration.auth_method.needs_secret())
            && registration.secret_expires_at.is_none_or(|end| end > now + EXPIRY_MARGIN)
    }
}

impl Discovered {
    /// The binding of a grant for this client, to compare with the binding of a stored grant.
    pub fn binding(&self, client: &RegisteredClient) -> GrantBinding {
        GrantBinding {
            issuer: self.metadata.issuer.clone(),
            token_endpoint: self.metadata.token_endpoint.clone(),
            revocation_endpoint: self.own_revocation_endpoint().cloned(),
            client_id: client.registration.client_id.clone(),
            auth_method: client.registration.auth_method,
            resource: self.resource.clone(),
            sends_resource: self.sends_resource,
            sends_scope: self.quirks.refresh_needs_scope,
            has_configured_endpoints: self.source == MetadataSource::Settings,
            sends_proof: self.uses_dpop(),
        }
    }
}

impl Registered {
    pub fn client(&self) -> &RegisteredClient {
        &self.client
    }

    pub fn discovered(&self) -> &Discovered {
        &self.discovered
    }
}
