//! An HTTP endpoint: the entry in `mcp.json`, and its resolved form.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue};
use rmcp::model::ProtocolVersion;
use secrecy::{ExposeSecret, SecretString};
use url::Url;
use usher_api::{ErrorView, SecretRequestView, ServerId};
use usher_config::{Header, OAuthSettings, PlaceholderUse, RenderError, Template};
use usher_oauth::{
    ClientSettings, Endpoint, ErrorKind, Flow, GrantBinding, HttpClient, IdentityProvider, KeyError, Prompt,
    Scopes, ServerUrl, SigningKey,
};

use super::Opened;
use crate::connection::client_handler::ClientHandler;
use crate::connection::fault::Fault;
use crate::connection::http::adapter::HttpAdapter;
use crate::connection::http::streamable::StreamableHttp;
use crate::connection::inbound::Inbound;
use crate::connection::list_changes::ListChanges;
use crate::connection::page_visits::PageVisits;
use crate::connection::running_requests::RunningRequests;
use crate::connection::stream_monitor::StreamMonitor;
use crate::connection::watch::{Reports, watch};
use crate::connection::{Connection, Handshake};
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

/// The deadline for reusing an open connection after a sign-in. After it, a new connection is faster.
const REUSE_TIMEOUT: Duration = Duration::from_secs(10);

/// The MCP revisions with `initialize`, newest first.
const REVISIONS: [ProtocolVersion; 3] =
    [ProtocolVersion::V_2025_11_25, ProtocolVersion::V_2025_06_18, ProtocolVersion::V_2025_03_26];

/// A function that is called when the grant of a server changes.
pub(crate) type OnGrantChange = Arc<dyn Fn() + Send + Sync>;

/// One HTTP server's entry, shared by its task and its jobs.
pub(crate) struct HttpEndpoint {
    pub id: ServerId,
    pub url: Url,
    pub headers: Vec<Header>,
    pub oauth: OAuthSettings,
    /// The placeholders of the entry, and the origins to which their values are sent.
    pub uses: Vec<PlaceholderUse>,
    pub context: Arc<Context>,
    pub persisted: Arc<PersistedSignIn>,
    pub on_grant_change: OnGrantChange,
    pub resolution: Resolution,
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
}

impl HttpEndpoint {
    /// Resolves the entry: reads its secrets and looks up the host. Returns the earlier result if it is not stale and
    /// the server is still in the same network zone.
    pub async fn resolve(&self) -> Result<Arc<Resolved>, Fault> {
        let Resolution { resolved: earlier, is_stale, resolving, refused: _ } = &self.resolution;
        let _resolving = resolving.lock().await;
        let before = self.resolved();
        if let Some(resolved) = &before
            && !is_stale.load(Ordering::Acquire)
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
            token_endpoint: self.oauth.used_endpoints().map(|endpoints| &endpoints.token),
            discovered: discovered.as_ref(),
        };
        gate.permits(binding)
    }

    /// Returns the uses of placeholders for which the entry waits for the person's permission.
    pub fn secret_requests(&self) -> Vec<SecretRequestView> {
        let refused = self.resolution.refused.lock().unwrap_or_else(PoisonError::into_inner);
        self.context.placeholders.requests(&refused)
    }

    /// Connects within the deadline. Without a grant, the server's challenge is returned as
    /// [`Fault::Unauthorized`].
    pub async fn connect(&self, reports: Reports) -> Result<Opened, Fault> {
        let deadline = self.context.options.connect_timeout;
        let outcome = tokio::time::timeout(deadline, self.open(reports)).await;
        outcome.unwrap_or_else(|_| Err(Fault::TimedOut(deadline.as_secs())))
    }

    /// Continues with an open connection after a sign-in. Listing the tools proves that the server accepts the new
    /// token. If the connection itself fails, a new one replaces it.
    pub async fn reuse(&self, connection: Arc<Connection>, reports: Reports) -> Result<Opened, Fault> {
        match tokio::time::timeout(REUSE_TIMEOUT, connection.verify()).await {
            Ok(Ok(tools)) => Ok(Opened { connection, tools }),
            Ok(Err(
                fault
                @ (Fault::Unauthorized { .. } | Fault::InsufficientScope { .. } | Fault::Credentials(_)),
            )) => Err(fault),
            Ok(Err(_)) | Err(_) => self.connect(reports).await,
        }
    }

    async fn open(&self, reports: Reports) -> Result<Opened, Fault> {
        let resolved = self.resolve().await?;
        let changes = Arc::new(ListChanges::default());
        let (monitor, faults) = StreamMonitor::new();
        let requests = RunningRequests::default();
        let inbound = Inbound::new(requests.clone(), monitor);
        let client = ClientHandler {
            server: self.id.clone(),
            elicitations: Arc::clone(&self.context.elicitations),
            requests,
            page_visits: PageVisits::default(),
            changes: Arc::clone(&changes),
            extension: extension(self.flow()),
        };
        let uri: Arc<str> = resolved.url.as_str().into();
        let http = StreamableHttp::new(
            resolved.http.connection_builder(),
            &uri,
            self.context.options.clock.clone(),
            resolved.http.dpop().clone(),
        )?;
        let credentials = resolved.credentials.clone();
        let headers = resolved.headers.clone();
        let adapter = HttpAdapter::new(http, credentials.clone(), headers, inbound.clone());
        let learned = &self.context.learned;
        let mut revisions = revisions_from(learned.revision(&resolved.key));
        let connection = loop {
            let channel = adapter.clone().into_channel(Arc::clone(&uri));
            let revision = revisions.remove(0);
            let (client, credentials) = (client.clone(), credentials.clone());
            let handshake = Handshake::Detect(revision.clone());
            let opened = Connection::open(channel, client, inbound.clone(), credentials, handshake).await;
            match opened {
                Ok(connection) => {
                    learned.store_revision(&resolved.key, &revision);
                    break Arc::new(connection);
                }
                Err(fault) if fault.may_reject_revision() => {
                    keep_named(&mut revisions, &fault);
                    if revisions.is_empty() {
                        return Err(fault);
                    }
                }
                Err(fault) => return Err(fault),
            }
        };
        let tools = connection.list_tools().await?;
        watch(&connection, changes, faults, reports);
        Ok(Opened { connection, tools })
    }

    async fn resolve_uncached(&self, before: Option<&Resolved>) -> Result<Resolved, Fault> {
        let url =
            ServerUrl::parse(self.url.as_str()).map_err(|error| setup_fault(describe_oauth_error(&error)))?;
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
            credentials.reset(pre_registered, unattended, http.clone());
            credentials
        });
        Ok(Resolved { url, key, http, settings, credentials, headers })
    }

    /// Creates the HTTP client for the network zone in which the server is now.
    async fn http_client(&self, url: &ServerUrl, key: &ServerKey) -> Result<HttpClient, Fault> {
        let http = HttpClient::for_server(url).await.map_err(|error| match &error.kind {
            ErrorKind::Unreachable { why } => Fault::Unreachable(why.clone()),
            ErrorKind::Timeout => Fault::Unreachable("timed out".to_owned()),
            _ => setup_fault(describe_oauth_error(&error)),
        })?;
        self.context.learned.note_zone(key, http.zone());
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
            endpoints: oauth.endpoints.clone().map(|endpoints| (endpoints.authorization, endpoints.token)),
            device_authorization_endpoint: oauth.device_authorization_url.clone(),
            flow: flow(oauth.flow),
            audience: oauth.audience.clone(),
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
            token_endpoint: self.oauth.used_endpoints().map(|endpoints| endpoints.token.clone()),
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

/// Returns the identifier of the authorization extension of MCP that defines the flow.
fn extension(flow: Flow) -> Option<&'static str> {
    match flow {
        Flow::Browser | Flow::Device => None,
        Flow::ClientCredentials => Some("io.modelcontextprotocol/oauth-client-credentials"),
        Flow::JwtBearer => Some("io.modelcontextprotocol/auth/wif"),
        Flow::Enterprise => Some("io.modelcontextprotocol/enterprise-managed-authorization"),
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

/// Returns the MCP revisions with `initialize`, newest first, beginning with the one that worked before.
fn revisions_from(known: Option<String>) -> Vec<ProtocolVersion> {
    let mut all = REVISIONS.to_vec();
    let known = known.and_then(|known| all.iter().position(|revision| revision.as_str() == known));
    // The newer ones follow, because the server may have been upgraded.
    all.rotate_left(known.unwrap_or(0));
    all
}

/// Keeps only the revisions that the server's error names, if it names any of them.
fn keep_named(revisions: &mut Vec<ProtocolVersion>, fault: &Fault) {
    let text = fault.to_string();
    let is_named = |revision: &ProtocolVersion| text.contains(revision.as_str());
    if revisions.iter().any(is_named) {
        revisions.retain(is_named);
    }
}

fn setup_fault(view: ErrorView) -> Fault {
    Fault::Setup(Box::new(view))
}
