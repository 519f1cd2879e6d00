//! The steps of a sign-in before the person acts: discover, register, and build the authorization request or get a code
//! for another device.

use std::path::PathBuf;
use std::sync::Arc;

use usher_api::{ErrorView, RedirectKind, ServerId, SignInStep};
use usher_oauth::{
    Challenge, ClientRegistration, ClientSettings, DeviceAuthorization, Discovered, DiscoveryRequest,
    ErrorKind, Flow, Grant, GrantBinding, PendingAuthorization, RedirectUri, Registered, RegisteredClient,
    RegistrationKind, RegistrationRequest, Scopes, Step, discover, request_unattended,
};
use usher_secrets::SecretStore;

use super::loopback::{Loopback, ReservedPort, port_of};
use super::redirect_ladder::{self, Choice};
use crate::context::Context;
use crate::credentials::unattended::UnattendedSettings;
use crate::endpoint::http::Resolved;
use crate::words::credentials::rejected;
use crate::words::secret_store::describe_secret_error;
use crate::words::sign_in::{cannot_listen, describe_oauth_error, unconfirmed_endpoints};

/// The input of a sign-in.
pub(crate) struct Preparation {
    pub server: ServerId,
    pub context: Arc<Context>,
    pub endpoint: Arc<Resolved>,
    /// The challenge of the 401 or 403 that led to the sign-in.
    pub challenge: Option<Challenge>,
    pub flow: Flow,
    /// The file with the platform's assertion.
    pub assertion_file: Option<PathBuf>,
    pub requested_redirect: Option<RedirectKind>,
    /// Whether to leave out the `prompt` that Usher adds, because the page may reject it.
    pub omits_prompt: bool,
    pub receives_links: bool,
    pub configured_redirect: usher_config::Redirect,
    /// The scopes that the caller asks for. In a step-up, also those granted or requested before, and those that the
    /// server asks for.
    pub extra_scopes: Scopes,
    /// The hosts of another site that the person confirmed.
    pub confirmed_hosts: Vec<String>,
}

/// A sign-in that is ready for the person.
#[derive(Debug)]
pub(crate) enum PreparedSignIn {
    Browser(Prepared),
    Device(PreparedDevice),
    Unattended(Box<UnattendedGrant>),
}

/// A grant that needed no person, not stored yet.
#[derive(Debug)]
pub(crate) struct UnattendedGrant {
    pub grant: Grant,
    /// The form in which the request was planned.
    pub planned: GrantBinding,
}

/// A code for another device.
#[derive(Debug)]
pub(crate) struct PreparedDevice {
    pub device: DeviceAuthorization,
    /// Whether the registration is from an earlier sign-in.
    pub reused_registration: bool,
}

/// An authorization request, ready for the browser.
#[derive(Debug)]
pub(crate) struct Prepared {
    pub pending: PendingAuthorization,
    pub redirect: RedirectKind,
    pub receiver: Receiver,
    /// Whether the registration is from an earlier sign-in. If no callback arrives, an old registration may be the
    /// reason.
    pub reused_registration: bool,
}

/// The holder of the redirect's port.
#[derive(Debug)]
pub(crate) enum Receiver {
    /// The redirect has no port, or the sign-in was restored.
    None,
    /// The port of the loopback redirect, on which no server is running yet.
    Loopback(Loopback),
    /// The port of an address that the person pastes.
    Paste(ReservedPort),
}

impl Preparation {
    /// Runs the steps and reports each one to `step`.
    pub async fn run(self, step: impl Fn(SignInStep)) -> Result<PreparedSignIn, ErrorView> {
        step(SignInStep::Discovering);
        let (discovered, was_known) = self.discover().await?;
        step(SignInStep::Registering);
        let outcome = match self.authorize(discovered).await {
            // The known metadata may be out of date, so the steps are repeated without it.
            Err(Failure::Step(error)) if was_known && suggests_stale_metadata(&error) => {
                self.context.learned.forget_discovered(&self.endpoint.key);
                step(SignInStep::Discovering);
                let (discovered, _) = self.discover().await?;
                step(SignInStep::Registering);
                self.authorize(discovered).await
            }
            outcome => outcome,
        };
        Ok(outcome?)
    }

    async fn authorize(&self, discovered: Discovered) -> Result<PreparedSignIn, Failure> {
        self.confirm_endpoints(&discovered)?;
        match self.flow {
            Flow::Browser => self.register(discovered).await.map(PreparedSignIn::Browser),
            Flow::Device => self.request_device_code(discovered).await.map(PreparedSignIn::Device),
            Flow::ClientCredentials | Flow::JwtBearer | Flow::Enterprise => {
                self.request_grant(discovered).await.map(PreparedSignIn::Unattended)
            }
        }
    }

    /// Returns the client settings. A pre-registered client is bound to the issuer that it was first used with. So is the
    /// assertion of the platform, which may have no client ID: another issuer could use it at the first one.
    fn settings(&self) -> ClientSettings {
        let mut settings = ClientSettings { flow: self.flow, ..self.endpoint.settings.clone() };
        let client_id = match (&settings.client_id, self.flow) {
            (Some(client_id), _) => Some(client_id.as_str()),
            (None, Flow::JwtBearer) => Some(""),
            (None, _) => None,
        };
        let pinned = |client_id| self.context.learned.pinned_issuer(&self.endpoint.key, client_id);
        settings.issuer = client_id.and_then(pinned);
        settings
    }

    async fn discover(&self) -> Result<(Discovered, bool), Failure> {
        let learned = &self.context.learned;
        let challenge = self.challenge.as_ref();
        let named = challenge.and_then(|challenge| challenge.resource_metadata.as_deref());
        let credentials = self.endpoint.credentials.as_ref();
        let held = credentials.and_then(|credentials| credentials.held());
        // Metadata that is read again for more scopes says nothing about the key of the grant.
        let keeps_key = challenge.is_some_and(Challenge::is_insufficient_scope)
            && held.as_ref().is_some_and(|grant| grant.access_key().is_some());
        let with_quirks = |mut discovered: Discovered| {
            discovered.quirks = learned.quirks(&discovered.metadata.issuer);
            discovered.quirks.rejects_prompt |= self.omits_prompt;
            discovered.offers_dpop |= keeps_key;
            discovered.with_challenge(challenge, &self.settings())
        };
        if let Some(discovered) = learned.discovered_by(&self.endpoint.key, &self.server, named) {
            return Ok((with_quirks(discovered), true));
        }
        // A quarantined grant counts, too. A server may name itself as its issuer only if there is no grant.
        let has_grant = held.is_some() || credentials.is_some_and(|credentials| credentials.is_quarantined());
        let request =
            DiscoveryRequest { server: &self.endpoint.url, challenge, settings: &self.settings(), has_grant };
        let discovered = discover(&self.endpoint.http, request).await?;
        learned.store_discovered(&self.endpoint.key, &discovered, named);
        Ok((with_quirks(discovered), false))
    }

    /// Returns an error if the authorization server's endpoints belong to another site and the person has not confirmed
    /// exactly these hosts.
    fn confirm_endpoints(&self, discovered: &Discovered) -> Result<(), ErrorView> {
        let (learned, key) = (&self.context.learned, &self.endpoint.key);
        let Some(endpoints) = discovered.foreign_endpoints(&self.endpoint.url) else { return Ok(()) };
        if learned.confirmed_endpoints(key).as_ref() == Some(&endpoints) {
            return Ok(());
        }
        if !endpoints.foreign.iter().all(|host| self.confirmed_hosts.contains(host)) {
            return Err(unconfirmed_endpoints(&self.server.0, &endpoints));
        }
        learned.store_confirmed_endpoints(key, endpoints);
        Ok(())
    }

    /// Registers the client. If the authorization server rejects the redirect, or fails at its scheme, tries another
    /// one.
    async fn register(&self, discovered: Discovered) -> Result<Prepared, Failure> {
        let issuer = discovered.metadata.issuer.clone();
        let remembered = self.context.learned.redirect(&issuer);
        let settings = self.settings();
        let mut choice = redirect_ladder::first(
            self.requested_redirect,
            self.configured_redirect,
            remembered,
            self.receives_links,
        );
        let mut outage = None;
        loop {
            let fits = |client: &ClientRegistration| {
                let redirect = client.redirect_uri.as_ref();
                redirect.is_some_and(|redirect| redirect_ladder::fits(choice.kind, redirect))
            };
            let known = self.known_client(&discovered, fits).await?;
            let (redirect, receiver) = self.redirect(choice, known.as_ref()).await?;
            let known_id = known.as_ref().map(|client| client.registration.client_id.clone());
            let extra_scopes = &self.extra_scopes;
            let redirect = Some(&redirect);
            let request = RegistrationRequest { settings: &settings, redirect, extra_scopes, known };
            let now = self.context.options.clock.now();
            match discovered.clone().register(&self.endpoint.http, request, now).await {
                Ok(registered) => {
                    let reused_registration =
                        known_id.as_deref() == Some(registered.client().registration.client_id.as_str());
                    return self.finish(registered, choice, receiver, reused_registration).await;
                }
                Err(error) => {
                    let next = match &error.kind {
                        ErrorKind::RedirectRejected { .. } => redirect_ladder::next_automatically(choice),
                        ErrorKind::Transient { status: 500..=599, .. } if outage.is_none() => {
                            redirect_ladder::after_outage(choice)
                        }
                        _ => None,
                    };
                    let Some(next) = next else { return Err(outage.unwrap_or(error).into()) };
                    tracing::info!(server = %self.server, rejected = ?choice.kind, ?next, "the redirect was rejected");
                    choice.kind = next;
                    if matches!(error.kind, ErrorKind::Transient { .. }) {
                        outage = Some(error);
                    }
                }
            }
        }
    }

    async fn finish(
        &self,
        registered: Registered,
        choice: Choice,
        receiver: Receiver,
        reused_registration: bool,
    ) -> Result<Prepared, Failure> {
        // Stored before the browser opens, so that the callback finds a known client.
        if !reused_registration {
            self.store(registered.client()).await?;
        }
        let pending = registered.authorize(&self.extra_scopes, self.context.options.clock.now())?;
        Ok(Prepared { pending, redirect: choice.kind, receiver, reused_registration })
    }

    /// Gets a code for another device, with a client that is registered for this grant. If the authorization server no
    /// longer knows the client of an earlier sign-in, a new one is registered.
    async fn request_device_code(&self, discovered: Discovered) -> Result<PreparedDevice, Failure> {
        let (settings, http) = (self.settings(), &self.endpoint.http);
        if !discovered.offers_device_authorization(&settings) {
            let host = discovered.metadata.issuer.host();
            let kind = ErrorKind::DeviceUnsupported;
            return Err(usher_oauth::Error::new(Step::Authorization, host.as_deref(), kind).into());
        }
        let mut known = self.known_client(&discovered, |client| client.redirect_uri.is_none()).await?;
        loop {
            let known_id = known.as_ref().map(|client| client.registration.client_id.clone());
            let (extra_scopes, now) = (&self.extra_scopes, self.context.options.clock.now());
            let request = RegistrationRequest { settings: &settings, redirect: None, extra_scopes, known };
            let registered = discovered.clone().register(http, request, now).await?;
            let registration = registered.client().registration.clone();
            let reused_registration = known_id.as_ref() == Some(&registration.client_id);
            if !reused_registration {
                self.store(registered.client()).await?;
            }
            let planned = registered.discovered().binding(registered.client());
            match registered.authorize_device(http, &settings, extra_scopes, now).await {
                Ok(device) => {
                    self.context.learned.learn_quirks(&planned, &device.binding());
                    return Ok(PreparedDevice { device, reused_registration });
                }
                Err(error) if error.is_registration_lost() && reused_registration => {
                    self.context.learned.forget_client(&registration.issuer, &registration.client_id);
                    known = None;
                }
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Gets a grant without a person. The client is used only at the issuer that it was first used with.
    async fn request_grant(&self, discovered: Discovered) -> Result<Box<UnattendedGrant>, Failure> {
        let settings = self.settings();
        let assertion_file = self.assertion_file.clone();
        let settings = UnattendedSettings { settings, assertion_file }.current().await;
        let planned = discovered.unattended_binding(&settings)?;
        self.context.learned.pin_issuer(&self.endpoint.key, &planned.client_id, &planned.issuer);
        let scopes = discovered.scopes.union(&self.extra_scopes);
        let (http, now) = (&self.endpoint.http, self.context.options.clock.now());
        let binding = planned.clone();
        let request = request_unattended(http, binding, &settings, &scopes, Step::TokenExchange, now);
        let grant = request.await.map_err(|error| match error.may_pass_without_person() {
            true => Failure::Step(error),
            false => Failure::Local(rejected(&error)),
        })?;
        Ok(Box::new(UnattendedGrant { grant, planned }))
    }

    /// Returns the client of an earlier sign-in with this issuer that `fits` accepts.
    async fn known_client(
        &self,
        discovered: &Discovered,
        fits: impl Fn(&ClientRegistration) -> bool,
    ) -> Result<Option<RegisteredClient>, ErrorView> {
        let issuer = &discovered.metadata.issuer;
        let known = self.context.learned.registration_for(&self.server, issuer, fits);
        let Some(mut registration) = known else { return Ok(None) };
        let wanted = discovered.quirks.auth_method.unwrap_or(registration.auth_method);
        let secret = if wanted.needs_secret() {
            let client_id = &registration.client_id;
            let read =
                |store: SecretStore| async move { store.client_secret(issuer.as_str(), client_id).await };
            self.context.stores.run(read).await.map_err(|error| describe_secret_error(&error))?
        } else {
            None
        };
        // What was learned from another client does not apply to a public client.
        if secret.is_some() || !wanted.needs_secret() {
            registration.auth_method = wanted;
        }
        Ok(Some(RegisteredClient { registration, secret }))
    }

    async fn redirect(
        &self,
        choice: Choice,
        known: Option<&RegisteredClient>,
    ) -> Result<(RedirectUri, Receiver), ErrorView> {
        let preferred = known.and_then(|client| port_of(client.registration.redirect_uri.as_ref()?));
        Ok(match choice.kind {
            RedirectKind::Link => (RedirectUri::custom_scheme(), Receiver::None),
            RedirectKind::LinkWithHost => (RedirectUri::custom_scheme_with_host(), Receiver::None),
            RedirectKind::Loopback => {
                let loopback = Loopback::bind(preferred).await.map_err(|error| cannot_listen(&error))?;
                (loopback.redirect(), Receiver::Loopback(loopback))
            }
            // Nothing listens, so the browser shows the callback in its address bar, and the person copies it.
            RedirectKind::Paste => {
                let reserved = ReservedPort::bind(preferred).map_err(|error| cannot_listen(&error))?;
                (reserved.redirect(), Receiver::Paste(reserved))
            }
        })
    }

    async fn store(&self, client: &RegisteredClient) -> Result<(), ErrorView> {
        let registration: &ClientRegistration = &client.registration;
        match registration.kind {
            RegistrationKind::Dynamic => {}
            RegistrationKind::PreRegistered => {
                self.context.learned.pin_issuer(
                    &self.endpoint.key,
                    &registration.client_id,
                    &registration.issuer,
                );
                return Ok(());
            }
            RegistrationKind::MetadataDocument => return Ok(()),
        }
        if let Some(secret) = &client.secret {
            let (issuer, client_id) = (registration.issuer.as_str(), &registration.client_id);
            let write =
                |store: SecretStore| async move { store.put_client_secret(issuer, client_id, secret).await };
            self.context.stores.run(write).await.map_err(|error| describe_secret_error(&error))?;
        }
        self.context.learned.store_registration(&self.server, registration.clone());
        Ok(())
    }
}

/// The reason why the preparation failed.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error(transparent)]
    Step(#[from] usher_oauth::Error),
    /// The secret store or the loopback port failed.
    #[error(transparent)]
    Local(#[from] ErrorView),
}

impl From<Failure> for ErrorView {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Step(error) => describe_oauth_error(&error),
            Failure::Local(view) => view,
        }
    }
}

/// Returns whether out-of-date metadata may be the reason for the failed registration.
fn suggests_stale_metadata(error: &usher_oauth::Error) -> bool {
    matches!(
        error.kind,
        ErrorKind::Status(_)
            | ErrorKind::NotJson
            | ErrorKind::Malformed { .. }
            | ErrorKind::Unreachable { .. }
            | ErrorKind::ConnectionLost { .. }
            | ErrorKind::DeviceUnsupported
    )
}
