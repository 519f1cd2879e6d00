//! All that is needed to talk to one HTTP server: its address, the filled headers, the sign-in.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use http::{HeaderMap, HeaderName, HeaderValue};
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::mpsc;
use url::Url;
use usher_config::{Header, OAuthSettings, Template};
use usher_oauth::{ClientSettings, ErrorKind, HttpClient, Scopes, ServerUrl};

use crate::ServerId;
use crate::connection::fault::Fault;
use crate::connection::lifeline::Lifeline;
use crate::connection::transport::Transport;
use crate::connection::wire::Wire;
use crate::credentials::{CredentialFault, Credentials, Surroundings};
use crate::describe::{describe_oauth_error, describe_render_error};
use crate::server::Message;
use crate::shared::Shared;
use crate::sign_in::waiting_request::WaitingRequest;

/// A server as `mcp.json` has it, with whom its task and its jobs share.
pub(crate) struct Place {
    pub id: ServerId,
    pub url: Url,
    pub headers: Vec<Header>,
    pub oauth: OAuthSettings,
    pub shared: Arc<Shared>,
    pub inbox: mpsc::UnboundedSender<Message>,
    pub waiting_request: Arc<WaitingRequest>,
    site: Mutex<Option<Arc<Site>>>,
    /// The holes are to be filled anew.
    stale: AtomicBool,
    /// One maker at a time.
    making: tokio::sync::Mutex<()>,
}

/// The place with every hole filled. There is one at a time, so that one sign-in has one owner.
pub(crate) struct Site {
    pub url: ServerUrl,
    pub http: HttpClient,
    pub settings: ClientSettings,
    /// `None` where an `Authorization` header of the person's stands.
    pub credentials: Option<Credentials>,
    headers: HeaderMap,
}

impl Place {
    pub fn new(
        id: ServerId,
        url: Url,
        headers: Vec<Header>,
        oauth: OAuthSettings,
        shared: Arc<Shared>,
        inbox: mpsc::UnboundedSender<Message>,
    ) -> Self {
        Self {
            id,
            url,
            headers,
            oauth,
            shared,
            inbox,
            waiting_request: Arc::default(),
            site: Mutex::default(),
            stale: AtomicBool::new(false),
            making: tokio::sync::Mutex::default(),
        }
    }

    /// The site; made at the first need, because that asks the secret store and the name server.
    pub async fn site(&self) -> Result<Arc<Site>, Fault> {
        let _making = self.making.lock().await;
        let before = self.site_at_hand();
        match before {
            Some(site) if !self.stale.load(Ordering::Acquire) && !site.http.is_displaced() => Ok(site),
            before => {
                let made = Arc::new(self.make(before.as_deref()).await?);
                self.stale.store(false, Ordering::Release);
                *self.site.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&made));
                Ok(made)
            }
        }
    }

    /// Whether the site is there already; nobody is asked.
    pub fn site_at_hand(&self) -> Option<Arc<Site>> {
        self.site.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Fills the holes anew with the next need. The sign-in keeps its one owner.
    pub fn renew_site(&self) {
        self.stale.store(true, Ordering::Release);
    }

    /// The kept secrets that this server needs.
    pub fn secret_names(&self) -> Vec<&str> {
        let templates = self.headers.iter().map(|header| &header.value).chain(&self.oauth.client_secret);
        templates.flat_map(Template::secret_names).collect()
    }

    async fn make(&self, before: Option<&Site>) -> Result<Site, Fault> {
        let url = ServerUrl::parse(self.url.as_str()).map_err(|error| setup(describe_oauth_error(&error)))?;
        let secrets = self.secrets().await?;
        let secret = |name: &str| secrets.get(name).cloned();
        let environment = self.shared.config.environment();
        let mut headers = HeaderMap::new();
        for header in &self.headers {
            let value =
                header.render(environment, secret).map_err(|error| setup(describe_render_error(&error)))?;
            let name = HeaderName::try_from(header.name.as_str());
            let value = HeaderValue::try_from(value.expose_secret());
            let (Ok(name), Ok(mut value)) = (name, value) else {
                let error = usher_config::RenderError::NotAHeaderValue { header: header.name.clone() };
                return Err(setup(describe_render_error(&error)));
            };
            value.set_sensitive(true);
            headers.insert(name, value);
        }
        let client_secret = match &self.oauth.client_secret {
            Some(template) => {
                let rendered = template.render(environment, secret);
                Some(rendered.map_err(|error| setup(describe_render_error(&error)))?)
            }
            None => None,
        };
        let http = match before {
            Some(before) if !before.http.is_displaced() => before.http.clone(),
            Some(_) | None => self.http_client(&url).await?,
        };
        let settings = self.settings(client_secret.clone());
        let credentials = (!self.oauth.off).then(|| {
            let credentials = before.and_then(|before| before.credentials.clone());
            let credentials = credentials.unwrap_or_else(|| self.credentials(&url, &http));
            let client = self.oauth.client_id.clone().map(|client_id| (client_id, client_secret));
            credentials.begin_anew(client, http.clone());
            credentials
        });
        Ok(Site { url, http, settings, credentials, headers })
    }

    /// Decides from where the server is now, by the names of the network that this computer is on.
    async fn http_client(&self, url: &ServerUrl) -> Result<HttpClient, Fault> {
        let http = HttpClient::for_server(url).await.map_err(|error| match &error.kind {
            ErrorKind::Unreachable { why } => Fault::Unreachable(why.clone()),
            ErrorKind::Timeout => Fault::Unreachable("no answer came in time".to_owned()),
            _ => setup(describe_oauth_error(&error)),
        })?;
        self.shared.kept.note_reach(url, http.reach());
        Ok(http)
    }

    fn settings(&self, client_secret: Option<SecretString>) -> ClientSettings {
        let oauth = &self.oauth;
        ClientSettings {
            client_id: oauth.client_id.clone(),
            client_secret,
            // Known only when a sign-in begins.
            issuer: None,
            scopes: oauth.scopes.clone().map(Scopes::from),
            metadata_document: oauth.client_metadata_url.clone(),
            endpoints: oauth.endpoints.clone().map(|endpoints| (endpoints.authorization, endpoints.token)),
            audience: oauth.audience.clone(),
            allow_missing_pkce: oauth.allow_missing_pkce,
        }
    }

    fn credentials(&self, url: &ServerUrl, http: &HttpClient) -> Credentials {
        let inbox = self.inbox.clone();
        let around = Surroundings {
            server: self.id.clone(),
            url: url.clone(),
            stores: self.shared.stores.clone(),
            kept: self.shared.kept.clone(),
            clock: self.shared.options.clock.clone(),
            guard: self.shared.guard(&self.id),
            tasks: self.shared.tasks.clone(),
            stopping: self.shared.stopping.clone(),
            changed: Box::new(move || {
                let _ = inbox.send(Message::GrantChanged);
            }),
        };
        Credentials::new(around, http.clone())
    }

    async fn secrets(&self) -> Result<HashMap<String, SecretString>, Fault> {
        let store = self.shared.stores.get();
        let mut secrets = HashMap::new();
        for name in self.secret_names() {
            let outcome = store.named(name).await;
            self.shared.stores.note(outcome.as_ref().err());
            if let Some(secret) = outcome.map_err(CredentialFault::from)? {
                secrets.insert(name.to_owned(), secret);
            }
        }
        Ok(secrets)
    }
}

impl Site {
    pub fn transport(&self, lifeline: Lifeline) -> Result<Transport, Fault> {
        let wire = Wire::new(self.http.connection_builder(), self.url.as_str().into())?;
        Ok(Transport::new(wire, self.credentials.clone(), self.headers.clone(), lifeline))
    }
}

fn setup(view: crate::ErrorView) -> Fault {
    Fault::Setup(Box::new(view))
}
