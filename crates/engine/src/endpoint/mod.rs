//! The endpoint of a server, created from its entry in `mcp.json`.

pub(crate) mod http;

use std::sync::Arc;

use url::Url;
use usher_api::{ServerId, TransportKind};
use usher_config::{Placeholder, ServerConfig, Transport};

use crate::connection::Connection;
use crate::connection::fault::Fault;
use crate::connection::offers::Offer;
use crate::connection::watch::Reports;
use crate::context::Context;
use crate::credentials::Credentials;
use crate::words;
use http::{HttpEndpoint, OnGrantChange, Resolution};

/// The endpoint of one server.
#[derive(Clone)]
pub(crate) enum Endpoint {
    /// Streamable HTTP.
    Http(Arc<HttpEndpoint>),
    /// The older HTTP+SSE transport, which is not supported yet.
    Sse { address: String },
    /// A local program, which is not supported yet.
    Program { command: String },
}

/// A connection over which the tools were listed.
pub(crate) struct Opened {
    pub connection: Arc<Connection>,
    pub tools: Arc<Vec<Offer>>,
}

impl Endpoint {
    pub fn new(config: &ServerConfig, context: Arc<Context>, on_grant_change: OnGrantChange) -> Self {
        match &config.transport {
            Transport::Http { url, headers } => Self::Http(Arc::new(HttpEndpoint {
                id: ServerId(config.name.clone()),
                url: url.clone(),
                headers: headers.clone(),
                oauth: config.oauth.clone(),
                uses: context.placeholders.uses(config),
                context,
                persisted: Arc::default(),
                on_grant_change,
                resolution: Resolution::default(),
            })),
            Transport::Sse { url, .. } => Self::Sse { address: url.to_string() },
            Transport::Stdio { command, .. } => Self::Program { command: command.source().to_owned() },
        }
    }

    pub fn kind(&self) -> TransportKind {
        match self {
            Self::Http(_) => TransportKind::Http,
            Self::Sse { .. } => TransportKind::Sse,
            Self::Program { .. } => TransportKind::Stdio,
        }
    }

    /// Returns the address, or the command of a program without its arguments.
    pub fn address(&self) -> &str {
        match self {
            Self::Http(http) => http.url.as_str(),
            Self::Sse { address } => address,
            Self::Program { command } => command,
        }
    }

    /// Returns the reason if Usher does not support this kind of endpoint.
    pub fn unsupported(&self) -> Option<&'static str> {
        match self {
            Self::Http(_) => None,
            Self::Sse { .. } => {
                Some("This address uses the older HTTP+SSE transport, which Usher does not support yet.")
            }
            Self::Program { .. } => Some("This is a local program, which Usher cannot run yet."),
        }
    }

    /// Returns the HTTP endpoint, which is the only kind with a sign-in.
    pub fn http(&self) -> Option<&Arc<HttpEndpoint>> {
        match self {
            Self::Http(http) => Some(http),
            Self::Sse { .. } | Self::Program { .. } => None,
        }
    }

    pub fn url(&self) -> Option<&Url> {
        self.http().map(|http| &http.url)
    }

    /// Returns whether `mcp.json` sets an `Authorization` header, which turns OAuth off.
    pub fn is_oauth_off(&self) -> bool {
        self.http().is_some_and(|http| http.oauth.off)
    }

    /// Returns whether the entry's grants need no person.
    pub fn is_unattended(&self) -> bool {
        self.http().is_some_and(|http| http.flow().is_unattended())
    }

    /// Returns the credentials, if the entry was resolved and uses OAuth.
    pub fn credentials(&self) -> Option<Credentials> {
        self.http()?.resolved()?.credentials.clone()
    }

    /// Returns whether the entry has this placeholder.
    pub fn uses_placeholder(&self, placeholder: &Placeholder) -> bool {
        self.http().is_some_and(|http| http.uses.iter().any(|one| one.placeholder == *placeholder))
    }

    /// Resolves the placeholders again at the next use.
    pub fn mark_stale(&self) {
        if let Self::Http(http) = self {
            http.mark_stale();
        }
    }

    /// Opens a connection and lists the tools. After a sign-in, `open` is the open connection to continue with; if it
    /// does not respond, a new one replaces it.
    pub async fn connect(&self, open: Option<Arc<Connection>>, reports: Reports) -> Result<Opened, Fault> {
        match (self, open) {
            (Self::Http(http), Some(connection)) => http.reuse(connection, reports).await,
            (Self::Http(http), None) => http.connect(reports).await,
            (Self::Sse { .. } | Self::Program { .. }, Some(_) | None) => {
                let why = self.unsupported().unwrap_or_default();
                Err(Fault::Setup(Box::new(words::server::unsupported(why))))
            }
        }
    }
}
