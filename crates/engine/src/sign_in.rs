//! The steps of a sign-in before the browser: discover, register down the ladder, build the request.

pub(crate) mod flows;
pub(crate) mod ladder;
pub(crate) mod left_waiting;
pub(crate) mod loopback;
pub(crate) mod waiting_request;

use std::sync::Arc;

use usher_oauth::{
    BearerChallenge, ClientRegistration, ClientSettings, Discovered, DiscoveryRequest, ErrorKind,
    PendingAuthorization, RedirectUri, Registered, RegisteredClient, RegistrationKind, RegistrationRequest,
    Scopes, discover,
};

use crate::describe::{describe_credential_fault, describe_oauth_error, error};
use crate::server::site::Site;
use crate::shared::Shared;
use crate::sign_in::ladder::Rung;
use crate::sign_in::loopback::{Loopback, port_of};
use crate::{Code, ErrorView, RedirectKind, ServerId, SignInStep};

/// What a sign-in goes by.
pub(crate) struct Preparation {
    pub server: ServerId,
    pub shared: Arc<Shared>,
    pub site: Arc<Site>,
    /// From the 401 or 403 that led here.
    pub challenge: Option<BearerChallenge>,
    pub asked_redirect: Option<RedirectKind>,
    pub receives_links: bool,
    pub configured_redirect: usher_config::Redirect,
    /// What was granted before, and what a step-up asks for.
    pub extra_scopes: Scopes,
}

/// A request that is ready for the browser.
#[derive(Debug)]
pub(crate) struct Prepared {
    pub pending: PendingAuthorization,
    pub redirect: RedirectKind,
    /// For the loopback rung alone.
    pub loopback: Option<Loopback>,
    /// The registration is one of an earlier sign-in: if nobody comes back, it may be the reason.
    pub reused_registration: bool,
}

impl Preparation {
    /// Runs the steps; `step` is told where they are.
    pub async fn run(self, step: impl Fn(SignInStep)) -> Result<Prepared, ErrorView> {
        step(SignInStep::Discovering);
        let (discovered, was_kept) = self.discover().await?;
        step(SignInStep::Registering);
        let outcome = match self.register(discovered).await {
            // What was learned some time ago may be wrong by now: once more from the beginning.
            Err(Failure::Step(failure)) if was_kept && suggests_stale(&failure) => {
                self.shared.kept.forget_discovered(&self.site.url);
                step(SignInStep::Discovering);
                let (discovered, _) = self.discover().await?;
                step(SignInStep::Registering);
                self.register(discovered).await
            }
            outcome => outcome,
        };
        Ok(outcome?)
    }

    /// A client set up by hand is for the issuer that it met first; that may have been in this run.
    fn settings(&self) -> ClientSettings {
        let mut settings = self.site.settings.clone();
        if let Some(client_id) = &settings.client_id {
            settings.issuer = self.shared.kept.pinned_issuer(&self.site.url, client_id);
        }
        settings
    }

    async fn discover(&self) -> Result<(Discovered, bool), Failure> {
        let kept = &self.shared.kept;
        let challenge = self.challenge.as_ref();
        let named = challenge.and_then(|challenge| challenge.resource_metadata.as_deref());
        if let Some(discovered) = kept.discovered_by(&self.site.url, named) {
            return Ok((discovered.with_challenge(challenge, &self.settings()), true));
        }
        // One that is kept but not ours counts, too: only where nothing is kept may a server name itself.
        let has_grant = self
            .site
            .credentials
            .as_ref()
            .is_some_and(|credentials| credentials.held().is_some() || credentials.is_quarantined());
        let request =
            DiscoveryRequest { server: &self.site.url, challenge, settings: &self.settings(), has_grant };
        let discovered = discover(&self.site.http, request).await?;
        kept.keep_discovered(&self.site.url, &discovered, named);
        Ok((discovered, false))
    }

    /// One registration a rung, down to the loopback listener as long as the redirect is what is refused.
    async fn register(&self, discovered: Discovered) -> Result<Prepared, Failure> {
        let issuer = discovered.metadata.issuer.clone();
        let remembered = self.shared.kept.redirect(&issuer);
        let settings = self.settings();
        let mut rung =
            ladder::first(self.asked_redirect, self.configured_redirect, remembered, self.receives_links);
        loop {
            let known = self.known(&discovered, rung).await?;
            let (redirect, loopback) = self.redirect(rung, known.as_ref()).await?;
            let known_id = known.as_ref().map(|client| client.registration.client_id.clone());
            let request = RegistrationRequest { settings: &settings, redirect: &redirect, known };
            let now = self.shared.options.clock.now();
            match discovered.clone().register(&self.site.http, request, now).await {
                Ok(registered) => {
                    let reused_registration =
                        known_id.as_deref() == Some(registered.client().registration.client_id.as_str());
                    return self.finish(registered, rung, loopback, reused_registration).await;
                }
                Err(failure) => match (&failure.kind, ladder::next_by_itself(rung)) {
                    (ErrorKind::RedirectRejected { .. }, Some(next)) => {
                        tracing::info!(server = %self.server, refused = ?rung.kind, next = ?next.kind, "the redirect was refused");
                        rung = next;
                    }
                    _ => return Err(failure.into()),
                },
            }
        }
    }

    async fn finish(
        &self,
        registered: Registered,
        rung: Rung,
        loopback: Option<Loopback>,
        reused_registration: bool,
    ) -> Result<Prepared, Failure> {
        // Before the browser opens: a client that comes back must be one that is known.
        if !reused_registration {
            self.keep(registered.client()).await?;
        }
        let extra = (!self.extra_scopes.is_empty()).then_some(&self.extra_scopes);
        let pending = registered.authorize(extra, self.shared.options.clock.now())?;
        Ok(Prepared { pending, redirect: rung.kind, loopback, reused_registration })
    }

    /// A registration of an earlier sign-in at this issuer and rung, with its secret.
    async fn known(
        &self,
        discovered: &Discovered,
        rung: Rung,
    ) -> Result<Option<RegisteredClient>, ErrorView> {
        let issuer = &discovered.metadata.issuer;
        let fits = |redirect: &RedirectUri| ladder::fits(rung.kind, redirect);
        let Some(registration) = self.shared.kept.registration(issuer, fits) else { return Ok(None) };
        let secret = if registration.auth_method.needs_secret() {
            let outcome =
                self.shared.stores.get().client_secret(issuer.as_str(), &registration.client_id).await;
            self.shared.stores.note(outcome.as_ref().err());
            outcome.map_err(|failure| describe_credential_fault(&failure.into(), &self.server.0))?
        } else {
            None
        };
        Ok(Some(RegisteredClient { registration, secret }))
    }

    async fn redirect(
        &self,
        rung: Rung,
        known: Option<&RegisteredClient>,
    ) -> Result<(RedirectUri, Option<Loopback>), ErrorView> {
        let loopback = async || {
            let preferred = known.and_then(|client| port_of(&client.registration.redirect_uri));
            Loopback::bind(preferred).await.map_err(|failure| ErrorView {
                details: Some(failure.to_string()),
                ..error(
                    Code::RedirectRejected,
                    "This computer does not let Usher listen for the browser.",
                    "Use another way back: copy the address from the browser.",
                )
            })
        };
        Ok(match rung.kind {
            RedirectKind::Link => (RedirectUri::custom_scheme(), None),
            RedirectKind::LinkWithHost => (RedirectUri::custom_scheme_with_host(), None),
            RedirectKind::Loopback => {
                let loopback = loopback().await?;
                (loopback.redirect(), Some(loopback))
            }
            // A port that nobody listens at: the browser shows the address, and the person copies it.
            RedirectKind::Paste => (loopback().await?.redirect(), None),
        })
    }

    async fn keep(&self, client: &RegisteredClient) -> Result<(), ErrorView> {
        let registration: &ClientRegistration = &client.registration;
        match registration.kind {
            RegistrationKind::Dynamic => {}
            RegistrationKind::PreRegistered => {
                self.shared.kept.pin_issuer(&self.site.url, &registration.client_id, &registration.issuer);
                return Ok(());
            }
            RegistrationKind::MetadataDocument => return Ok(()),
        }
        if let Some(secret) = &client.secret {
            let store = self.shared.stores.get();
            let outcome =
                store.put_client_secret(registration.issuer.as_str(), &registration.client_id, secret).await;
            self.shared.stores.note(outcome.as_ref().err());
            outcome.map_err(|failure| describe_credential_fault(&failure.into(), &self.server.0))?;
        }
        self.shared.kept.keep_registration(registration.clone());
        Ok(())
    }
}

/// Why a step did not succeed.
enum Failure {
    Step(usher_oauth::Error),
    /// Something of our own: the secret store, the port.
    Ours(ErrorView),
}

impl From<usher_oauth::Error> for Failure {
    fn from(error: usher_oauth::Error) -> Self {
        Self::Step(error)
    }
}

impl From<ErrorView> for Failure {
    fn from(view: ErrorView) -> Self {
        Self::Ours(view)
    }
}

impl From<Failure> for ErrorView {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Step(error) => describe_oauth_error(&error),
            Failure::Ours(view) => view,
        }
    }
}

/// Whether a failure at the registration may come from metadata that is out of date.
fn suggests_stale(failure: &usher_oauth::Error) -> bool {
    matches!(
        failure.kind,
        ErrorKind::Status(_)
            | ErrorKind::NotJson
            | ErrorKind::Malformed { .. }
            | ErrorKind::Unreachable { .. }
            | ErrorKind::ConnectionLost { .. }
    )
}
