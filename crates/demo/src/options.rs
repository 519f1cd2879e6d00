//! What a demo can be told before it starts: its life times, its policies and its faults.

use std::fmt;
use std::time::Duration;

/// The settings of one demo service. `DemoOptions::default()` is what a person meets who tries the demo;
/// everything else is there so that tests can meet the ways of other services.
#[derive(Clone)]
pub struct DemoOptions {
    /// The port on 127.0.0.1; `None` takes a free one.
    pub port: Option<u16>,
    /// How long an access token lives.
    pub life: Duration,
    /// How long a refresh token lives from its own issue.
    pub refresh_life: Duration,
    /// How long the refresh token before the current one is still taken. Zero, the default, means that a second use
    /// of any refresh token revokes its whole family.
    pub refresh_grace: Duration,
    /// Signs clients and tokens. With the same key they survive a restart of the process (on the same port, since the
    /// issuer and the audience are part of them); `None` makes a random one.
    pub signing_key: Option<[u8; 32]>,
    /// Which redirect URIs are taken.
    pub redirects: RedirectPolicy,
    /// Which kinds of client may register.
    pub clients: ClientPolicy,
    /// The scopes named in the 401 challenge and in the protected resource metadata.
    pub challenge_scopes: Vec<String>,
    /// Whether `offline_access` is listed and a refresh token is given only to those who asked for it. When false,
    /// the scope is unknown here and every client that may refresh gets a refresh token.
    pub offline_access: bool,
    /// Leaves `expires_in` out of token responses.
    pub omit_expires_in: bool,
    /// Which eras of MCP are spoken.
    pub eras: Eras,
    /// In the handshake eras `ask_back` asks by the stream of the session, which does not say for whose call.
    pub asks_by_session: bool,
    /// What a request without a good token meets at the MCP server.
    pub guard: Guard,
    /// For how long a list of tools may be taken from a cache (`ttlMs`); `None` says nothing of it.
    pub list_life: Option<Duration>,
    /// Splits the MCP lists into pages of this many items; `None` answers each list whole.
    pub page_size: Option<usize>,
    /// How long every answer waits, as if the service were far away.
    pub latency: Duration,
    /// What the first requests to the token endpoint meet, in this order.
    pub token_faults: Vec<TokenFault>,
}

impl Default for DemoOptions {
    fn default() -> Self {
        Self {
            port: None,
            life: Duration::from_secs(600),
            refresh_life: Duration::from_secs(30 * 24 * 3600),
            refresh_grace: Duration::ZERO,
            signing_key: None,
            redirects: RedirectPolicy::Any,
            clients: ClientPolicy::Any,
            challenge_scopes: ["openid", "notes:read", "notes:write"].map(String::from).to_vec(),
            offline_access: true,
            omit_expires_in: false,
            eras: Eras::All,
            asks_by_session: false,
            guard: Guard::default(),
            list_life: None,
            page_size: None,
            latency: Duration::ZERO,
            token_faults: Vec::new(),
        }
    }
}

impl fmt::Debug for DemoOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DemoOptions")
            .field("port", &self.port)
            .field("life", &self.life)
            .field("redirects", &self.redirects)
            .field("clients", &self.clients)
            .finish_non_exhaustive()
    }
}

/// Which redirect URIs the demo takes, after the ways of services in the wild. `https` and loopback `http` are taken
/// by all of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RedirectPolicy {
    /// Private-use schemes in both spellings too (RFC 8252 §7.1).
    #[default]
    Any,
    /// Registration refuses `scheme:/path` and takes `scheme://host/path`.
    NoHostless,
    /// Registration refuses every private-use scheme with `invalid_redirect_uri`.
    NoPrivateUse,
    /// Registration takes private-use schemes and the authorization endpoint refuses them, on a page of its own.
    PrivateUseRefusedAtAuthorize,
}

/// Which kinds of client may register.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ClientPolicy {
    /// What the client asks for; one that asks for nothing is given a secret (RFC 7591 §2).
    #[default]
    Any,
    /// Every client is given a secret, also one that asked for `none`.
    ConfidentialOnly,
    /// There is no registration endpoint: the metadata does not name one, and a request to it is refused.
    NoRegistration,
}

/// What a request without a good token meets at the MCP server.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Guard {
    /// 401 with a challenge, whatever it asks.
    #[default]
    Everything,
    /// The same, but only for calls of tools: the handshake and the lists are for everybody.
    CallsAlone,
    /// Calls of tools are answered with 200 and a failed result that speaks of a 401; the rest is for everybody.
    CallsInTheirResult,
}

/// Which eras of MCP are spoken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Eras {
    /// 2026-07-28 and every version with an `initialize` handshake that rmcp knows.
    #[default]
    All,
    /// `server/discover` is an unknown method, as on older servers, and there is only the handshake.
    HandshakeOnly,
}

/// What a request to the token endpoint meets instead of its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenFault {
    /// 500 with a line of text.
    ServerError,
    /// 503, with `Retry-After` in seconds if given.
    Unavailable {
        /// The value of `Retry-After`.
        retry_after: Option<u32>,
    },
    /// 429 with `Retry-After` in seconds.
    TooManyRequests {
        /// The value of `Retry-After`.
        retry_after: u32,
    },
    /// 200 with a page of HTML, as a captive portal answers.
    HtmlPage,
    /// 503 whose body says `invalid_grant`: not a refusal, whatever the body says.
    UnavailableInvalidGrant,
    /// 400 `invalid_grant`.
    InvalidGrant,
    /// 401 `invalid_client`.
    InvalidClient,
    /// The request is carried out, and 502 is answered: a rotated refresh token is lost.
    AnswerLost,
}

/// What `tools/list` meets instead of its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ListFault {
    /// 502 with a line of text.
    BadGateway,
    /// 403 that asks for the permission to write, whatever was granted.
    MorePermissionNeeded,
}
