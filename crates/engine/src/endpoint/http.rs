//! An HTTP endpoint: the entry in `mcp.json`, and its resolved form.

mod opening;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use http::{HeaderMap, HeaderName, HeaderValue};
use secrecy::{ExposeSecret, SecretString};
use tokio_util::sync::CancellationToken;
use url::Url;
use usher_api::{ErrorView, SecretRequestView, ServerId};
use usher_config::{Header, OAuthSettings, PlaceholderUse, RenderError, Template};
use usher_oauth::{
    ClientSettings, Endpoint, ErrorKind, Flow, GrantBinding, HttpClient, IdentityProvider, KeyError, Prompt,
    Scopes, ServerUrl, SigningKey,
};

use crate::connection::fault::Fault;
use crate::context::Context;
use crate::credentials::fault::CredentialFault;
use crate::credentials::gate::Gate;
use crate::credentials::unattended::UnattendedSettings;
use crate::credentials::{Credentials, CredentialsContext};
use crate::placeholders::{AdmittedValues, NotAdmitted};
use crate::server_key::ServerKey;
use crate::sign_in::persisted::PersistedSignIn;
use crate::words::config::describe_render_error;
use crate::words::credentials::bad_private_key;
use crate::words::secret_origin::origins_not_stored;
use crate::words::sign_in::describe_oauth_error;

/// A function that is called when the grant of a server changes.
pub(crate) type OnGrantChange = Arc<dyn Fn() + Send + Sync>;

/// One HTTP server's entry, shared by its task and its jobs.
pub(crate) struct HttpEndpoint {
    pub id: ServerId,
    pub url: Url,
    /// Whether the entry names the older transport HTTP+SSE, which is then tried first.
    pub is_sse: bool,
    pub headers: Vec<Header>,
    pub oauth: OAuthSettings,
    /// The placeholders of the entry, and the origins to which their values are sent.
    pub uses: Vec<PlaceholderUse>,
    pub context: Arc<Context>,
    pub persisted: Arc<PersistedSignIn>,
    pub on_grant_change: OnGrantChange,
    pub resolution: Resolution,
    /// Whether what is learned about the server is stored. False before its entry is added.
    pub learns: bool,
}

/// The last result of resolving the entry.
#[derive(Default)]
pub(crate) struct Resolution {
    resolved: Mutex<Option<Arc<Resolved>>>,
    is_stale: AtomicBool,
    /// The uses of placeholders that the last attempt needed the person's permission for.
    refused: Mutex<Vec<PlaceholderUse>>,
    /// The lock that is held while the entry is resolved.
    resolving: tokio::sync::Mutex<()>,
    /// Cancelled and replaced when the values of the entry may no longer be sent.
    values_withdrawn: Mutex<CancellationToken>,
}

/// The entry with all placeholders resolved. When the entry is resolved again, the new value takes over the credentials,
/// so that a grant has one owner.
pub(crate) struct Resolved {
    pub url: ServerUrl,
    /// The server's key in the learned data.
    pub key: ServerKey,
    pub http: HttpClient,
    pub settings: ClientSettings,
    /// `None` if OAuth is off, because the entry sets an `Authorization` header.
    pub credentials: Option<Credentials>,
    headers: HeaderMap,
    /// Cancelled when these values may no longer be sent.
    values_withdrawn: CancellationToken,
}

impl HttpEndpoint {
    /// Resolves the entry: reads its secrets and looks up the host. Returns the earlier result if it is not stale and
    /// the server is still in the same network zone.
    pub async fn resolve(&self) -> Result<Arc<Resolved>, Fault> {
        let Resolution { resolved: earlier, is_stale, resolving, .. } = &self.resolution;
        let _resolving = resolving.lock().await;
        let before = self.resolved();
        if let Some(resolved) = &before
            && !is_stale.load(Ordering::Acquire)
            && !resolved.values_withdrawn.is_cancelled()
            && !resolved.http.has_left_zone()
        {
            return Ok(Arc::clone(resolved));
        }
        let resolved = Arc::new(self.resolve_uncached(before.as_deref()).await?);
        is_stale.store(false, Ordering::Release);
        *earlier.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&resolved));
        Ok(resolved)
    }

    /// Returns the earlier result, if there is one.
    pub fn resolved(&self) -> Option<Arc<Resolved>> {
        self.resolution.resolved.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Makes the next call of [`Self::resolve`] resolve the entry again. The credentials are kept.
    pub fn mark_stale(&self) {
        self.resolution.is_stale.store(true, Ordering::Release);
    }

    /// Forbids every use of the values with which the entry was resolved, also by an attempt that is running.
    pub fn withdraw_values(&self) {
        std::mem::take(&mut *self.values_withdrawn()).cancel();
    }

    fn values_withdrawn(&self) -> MutexGuard<'_, CancellationToken> {
        self.resolution.values_withdrawn.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the flow that `mcp.json` chooses.
    pub fn flow(&self) -> Flow {
        flow(self.oauth.flow)
    }

    /// Returns whether a grant with this binding belongs to the entry.
    pub fn permits(&self, binding: &GrantBinding) -> bool {
        let Ok(server) = ServerUrl::parse(self.url.as_str()) else { return false };
        let discovered = self.context.learned.discovered(&ServerKey::new(&server, &self.oauth));
        let gate = Gate {
            server: &server,
            client_id: self.oauth.client_id.as_deref(),
            token_endpoint: self.oauth.used_token_url(),
            discovered: discovered.as_ref(),
        };
        gate.permits(binding)
    }

    /// Returns the uses of placeholders for which the entry waits for the person's permission.
    pub fn secret_requests(&self) -> Vec<SecretRequestView> {
        let refused = self.resolution.refused.lock().unwrap_or_else(PoisonError::into_inner);
        self.context.placeholders.requests(&refused)
    }

    async fn resolve_uncached(&self, before: Option<&Resolved>) -> Result<Resolved, Fault> {
        let url =
            ServerUrl::parse(self.url.as_str()).map_err(|error| setup_fault(describe_oauth_error(&error)))?;
        // Before the values are read, so that a withdrawal from now on counts.
        let values_withdrawn = self.values_withdrawn().clone();
        // Before anything is sent, even a query for the host's name, which may contain a variable.
        let values = self.admitted_values().await?;
        let secret = |name: &str| values.secret(name);
        let environment = values.environment();
        let invalid = |error: RenderError| setup_fault(describe_render_error(&error));
        let mut headers = HeaderMap::new();
        for header in &self.headers {
            let value = header.render(environment, secret).map_err(invalid)?;
            let name = HeaderName::try_from(header.name.as_str());
            let value = HeaderValue::try_from(value.expose_secret());
            let (Ok(name), Ok(mut value)) = (name, value) else {
                return Err(invalid(RenderError::NotAHeaderValue { header: header.name.clone() }));
            };
            value.set_sensitive(true);
            headers.insert(name, value);
        }
        let client_secret = self.oauth.client_secret.as_ref();
        let client_secret = client_secret.map(|template| template.render(environment, secret));
        let client_secret = client_secret.transpose().map_err(invalid)?;
        let signing_key = match &self.oauth.private_key {
            Some(template) => {
                let key = template.render(environment, secret).map_err(invalid)?;
                Some(Arc::new(self.signing_key(&key).map_err(|error| setup_fault(bad_private_key(error)))?))
            }
            None => None,
        };
        let render = |template: &Template| template.render(environment, secret).map_err(invalid);
        let assertion = self.oauth.assertion.as_ref().map(render).transpose()?;
        let identity_provider = match &self.oauth.identity_provider {
            Some(provider) => {
                let endpoint = Endpoint::parse("the identity provider", provider.token.as_str());
                let failed = |kind| usher_oauth::Error::new(usher_oauth::Step::TokenExchange, None, kind);
                Some(IdentityProvider {
                    token_endpoint: endpoint
                        .map_err(|kind| setup_fault(describe_oauth_error(&failed(kind))))?,
                    client_id: provider.client_id.clone(),
                    client_secret: provider.client_secret.as_ref().map(render).transpose()?,
                    id_token: render(&provider.id_token)?,
                })
            }
            None => None,
        };
        let settings = ClientSettings {
            signing_key,
            assertion,
            identity_provider,
            ..self.settings(client_secret.clone())
        };
        let key = ServerKey::new(&url, &self.oauth);
        let http = match before {
            Some(before) if !before.http.has_left_zone() => before.http.clone(),
            Some(_) | None => self.http_client(&url, &key).await?,
        };
        let credentials = (!self.oauth.off).then(|| {
            let credentials = before.and_then(|before| before.credentials.clone());
            let credentials = credentials.unwrap_or_else(|| self.new_credentials(&url, &key, &http));
            let pre_registered = self.oauth.client_id.clone().map(|client_id| (client_id, client_secret));
            let unattended = settings.flow.is_unattended().then(|| UnattendedSettings {
                settings: settings.clone(),
                assertion_file: self.oauth.assertion_file.clone(),
            });
            credentials.reset(pre_registered, unattended, http.clone(), values_withdrawn.clone());
            credentials
        });
        Ok(Resolved { url, key, http, settings, credentials, headers, values_withdrawn })
    }

    /// Creates the HTTP client for the network zone in which the server is now.
    async fn http_client(&self, url: &ServerUrl, key: &ServerKey) -> Result<HttpClient, Fault> {
        let http = HttpClient::for_server(url).await.map_err(|error| match &error.kind {
            ErrorKind::Unreachable { why } => Fault::Unreachable(why.clone()),
            ErrorKind::Timeout => Fault::Unreachable("timed out".to_owned()),
            _ => setup_fault(describe_oauth_error(&error)),
        })?;
        if self.learns {
            self.context.learned.note_zone(key, http.zone());
        }
        Ok(http)
    }

    fn signing_key(&self, text: &SecretString) -> Result<SigningKey, KeyError> {
        let algorithm = self.oauth.signing_algorithm.as_deref().map(str::parse).transpose()?;
        SigningKey::parse(text, algorithm, self.oauth.key_id.clone())
    }

    fn settings(&self, client_secret: Option<SecretString>) -> ClientSettings {
        let oauth = &self.oauth;
        ClientSettings {
            client_id: oauth.client_id.clone(),
            client_secret,
            signing_key: None,
            assertion: None,
            identity_provider: None,
            assertion_audience: oauth.assertion_audience.clone(),
            // Set when a sign-in begins.
            issuer: None,
            scopes: oauth.scopes.clone().map(Scopes::from),
            metadata_document: oauth.client_metadata_url.clone(),
            endpoints: oauth.token_url.clone().map(|token| {
                let authorization = oauth.endpoints.as_ref().map(|endpoints| endpoints.authorization.clone());
                (authorization, token)
            }),
            device_authorization_endpoint: oauth.device_authorization_url.clone(),
            flow: flow(oauth.flow),
            audience: oauth.audience.clone(),
            parameters: oauth.parameters.clone(),
            prompt: match &oauth.prompt {
                None => Prompt::Automatic,
                Some(prompt) if prompt.is_empty() => Prompt::Omitted,
                Some(prompt) => Prompt::Value(prompt.clone()),
            },
            allow_missing_pkce: oauth.allow_missing_pkce,
        }
    }

    fn new_credentials(&self, url: &ServerUrl, key: &ServerKey, http: &HttpClient) -> Credentials {
        let on_grant_change = Arc::clone(&self.on_grant_change);
        let context = CredentialsContext {
            server: self.id.clone(),
            url: url.clone(),
            key: key.clone(),
            token_endpoint: self.oauth.used_token_url().cloned(),
            stores: self.context.stores.clone(),
            learned: self.context.learned.clone(),
            journal: self.context.journal.clone(),
            clock: self.context.options.clock.clone(),
            guard: self.context.guards.guard(&self.id),
            tasks: self.context.tasks.clone(),
            stopping: self.context.stopping.clone(),
            on_change: Box::new(move || on_grant_change()),
        };
        Credentials::new(context, http.clone())
    }

    async fn admitted_values(&self) -> Result<AdmittedValues, Fault> {
        let placeholders = &self.context.placeholders;
        let outcome = placeholders.admit(&self.uses).await;
        let refused = match &outcome {
            Err(NotAdmitted::Refused(refused)) => refused.clone(),
            Ok(_) | Err(NotAdmitted::SecretStore(_) | NotAdmitted::NotRecorded(_)) => Vec::new(),
        };
        *self.resolution.refused.lock().unwrap_or_else(PoisonError::into_inner) = refused;
        outcome.map_err(|error| match error {
            NotAdmitted::Refused(refused) => Fault::SecretNotAllowed(placeholders.requests(&refused)),
            NotAdmitted::SecretStore(error) => CredentialFault::from(error).into(),
            NotAdmitted::NotRecorded(error) => setup_fault(origins_not_stored(&error)),
        })
    }
}

/// Returns the flow that `mcp.json` chooses. A sign-in can choose another one.
fn flow(flow: usher_config::Flow) -> Flow {
    match flow {
        usher_config::Flow::Browser => Flow::Browser,
        usher_config::Flow::Device => Flow::Device,
        usher_config::Flow::ClientCredentials => Flow::ClientCredentials,
        usher_config::Flow::JwtBearer => Flow::JwtBearer,
        usher_config::Flow::Enterprise => Flow::Enterprise,
    }
}

fn setup_fault(view: ErrorView) -> Fault {
    Fault::Setup(Box::new(view))
}
