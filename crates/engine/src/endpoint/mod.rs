//! The endpoint of a server, created from its entry in `mcp.json`.

pub(crate) mod http;
pub(crate) mod program;

use std::sync::Arc;

use url::Url;
use usher_api::{ServerId, TransportKind};
use usher_config::{Placeholder, PlaceholderUse, ServerConfig, Transport};

use crate::connection::fault::Fault;
use crate::connection::watch::Reports;
use crate::connection::{Connection, Opened};
use crate::context::Context;
use crate::credentials::Credentials;
use crate::program::launch::Launch;
use http::{HttpEndpoint, OnGrantChange, Resolution};
use program::{OnOutput, ProgramEndpoint, ProgramState};

/// The endpoint of one server.
#[derive(Clone)]
pub(crate) enum Endpoint {
    /// Streamable HTTP, or the older HTTP+SSE.
    Http(Arc<HttpEndpoint>),
    /// A local program.
    Program(Arc<ProgramEndpoint>),
}

impl Endpoint {
    pub fn new(
        config: &ServerConfig,
        context: Arc<Context>,
        on_grant_change: OnGrantChange,
        on_output: OnOutput,
    ) -> Self {
        match &config.transport {
            Transport::Http { url, headers } | Transport::Sse { url, headers } => {
                Self::Http(Arc::new(HttpEndpoint {
                    id: ServerId(config.name.clone()),
                    url: url.clone(),
                    is_sse: matches!(config.transport, Transport::Sse { .. }),
                    headers: headers.clone(),
                    oauth: config.oauth.clone(),
                    uses: context.placeholders.uses(config),
                    context,
                    persisted: Arc::default(),
                    on_grant_change,
                    resolution: Resolution::default(),
                    learns: true,
                }))
            }
            Transport::Stdio { command, args, env, cwd } => Self::Program(Arc::new(ProgramEndpoint {
                id: ServerId(config.name.clone()),
                launch: Launch {
                    command: command.clone(),
                    args: args.clone(),
                    env: env.clone(),
                    cwd: cwd.clone(),
                },
                context,
                on_output,
                state: ProgramState::default(),
            })),
        }
    }

    pub fn kind(&self) -> TransportKind {
        match self {
            Self::Http(http) if http.is_sse => TransportKind::Sse,
            Self::Http(_) => TransportKind::Http,
            Self::Program(_) => TransportKind::Stdio,
        }
    }

    /// Returns the address, or the command of a program without its arguments.
    pub fn address(&self) -> &str {
        match self {
            Self::Http(http) => http.url.as_str(),
            Self::Program(program) => program.launch.command.source(),
        }
    }

    /// Returns the HTTP endpoint, which is the only kind with a sign-in.
    pub fn http(&self) -> Option<&Arc<HttpEndpoint>> {
        match self {
            Self::Http(http) => Some(http),
            Self::Program(_) => None,
        }
    }

    pub fn program(&self) -> Option<&Arc<ProgramEndpoint>> {
        match self {
            Self::Program(program) => Some(program),
            Self::Http(_) => None,
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
        match self {
            Self::Http(http) => http.uses.iter().any(|one| one.placeholder == *placeholder),
            Self::Program(program) => program.uses_placeholder(placeholder),
        }
    }

    /// Returns whether the entry sends this placeholder's value to this origin.
    pub fn sends(&self, one: &PlaceholderUse) -> bool {
        match self {
            Self::Http(http) => http.uses.contains(one),
            Self::Program(_) => false,
        }
    }

    /// Forbids every use of the values of the entry's placeholders until the next connection admits them. A program got
    /// its values when it started.
    pub fn withdraw_values(&self) {
        match self {
            Self::Http(http) => http.withdraw_values(),
            Self::Program(_) => {}
        }
    }

    /// Makes the next connection start from scratch: it resolves the placeholders again, and earlier quick exits of a
    /// program do not count.
    pub fn mark_stale(&self) {
        match self {
            Self::Http(http) => http.mark_stale(),
            Self::Program(program) => program.forget_exits(),
        }
    }

    /// Opens a connection and lists the tools. After a sign-in, `open` is the open connection to continue with; if it
    /// does not respond, a new one replaces it.
    pub async fn connect(&self, open: Option<Arc<Connection>>, reports: Reports) -> Result<Opened, Fault> {
        match (self, open) {
            (Self::Http(http), Some(connection)) => http.reuse(connection, reports).await,
            (Self::Http(http), None) => http.connect(reports).await,
            (Self::Program(program), Some(connection)) => program.reuse(connection, reports).await,
            (Self::Program(program), None) => program.connect(reports).await,
        }
    }
}
