//! The settings of a demo: lifetimes, policies and faults.

use std::time::Duration;

/// The settings of one demo. People use the defaults; tests use other values to imitate other services.
#[derive(Clone)]
pub struct DemoOptions {
    /// The port on 127.0.0.1; `None` picks a free port.
    pub port: Option<u16>,
    /// The lifetime of an access token.
    pub access_token_lifetime: Duration,
    /// The time for which the previous refresh token stays valid after a rotation. If it is zero (the default), a
    /// second use of any refresh token revokes its whole family.
    pub refresh_grace: Duration,
    /// The key that signs clients and tokens; `None` creates a random one. After a restart, existing clients and tokens
    /// are valid only with the same key and port, because their issuer and audience contain the port.
    pub signing_key: Option<[u8; 32]>,
    /// The time between two polls that a client of the device authorization grant must wait.
    pub device_interval: Duration,
    /// The lifetime of a device code.
    pub device_code_lifetime: Duration,
    /// The redirect URIs that are accepted.
    pub redirects: RedirectPolicy,
    /// The scopes named in the 401 challenge and in the protected resource metadata.
    pub challenge_scopes: Vec<String>,
    /// The transport of the MCP server.
    pub transport: Transport,
    /// The supported eras of MCP.
    pub eras: Eras,
    /// Whether `ask_back` sends its question on the session's stream instead of the call's stream. This applies only to
    /// the `initialize` era.
    pub elicits_by_session: bool,
    /// The MCP server's response to a request without a valid token.
    pub guard: Guard,
    /// Whether tokens are bound to a key of the client.
    pub dpop: Dpop,
    /// The time for which a client may cache the tool list (`ttlMs`); `None` omits it.
    pub tool_list_ttl: Option<Duration>,
    /// The page size of MCP lists; `None` returns each list in one page.
    pub page_size: Option<usize>,
    /// The delay before every response.
    pub latency: Duration,
    /// The faults of the first requests to the token endpoint, in this order.
    pub token_faults: Vec<TokenFault>,
}

impl Default for DemoOptions {
    fn default() -> Self {
        Self {
            port: None,
            access_token_lifetime: Duration::from_secs(600),
            refresh_grace: Duration::ZERO,
            signing_key: None,
            device_interval: Duration::from_secs(1),
            device_code_lifetime: Duration::from_secs(600),
            redirects: RedirectPolicy::Any,
            challenge_scopes: ["openid", "notes:read", "notes:write"].map(String::from).to_vec(),
            transport: Transport::default(),
            eras: Eras::All,
            elicits_by_session: false,
            guard: Guard::default(),
            dpop: Dpop::default(),
            tool_list_ttl: None,
            page_size: None,
            latency: Duration::ZERO,
            token_faults: Vec::new(),
        }
    }
}

/// A transport of MCP over HTTP. The address of the MCP server is the same for both.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Transport {
    #[default]
    StreamableHttp,
    /// The older HTTP+SSE. A POST to the address of the MCP server gets the status 405.
    Sse,
}

/// The redirect URIs that the demo accepts, modelled on real services. All policies accept `https` and loopback `http`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RedirectPolicy {
    /// Also accepts private-use schemes in both spellings (RFC 8252 §7.1).
    #[default]
    Any,
    /// Registration rejects `scheme:/path` and accepts `scheme://host/path`.
    HostRequired,
    /// Registration rejects every private-use scheme with `invalid_redirect_uri`.
    NoPrivateUse,
    /// Registration accepts private-use schemes, but the authorization endpoint shows an error page.
    PrivateUseRejectedAtAuthorize,
}

/// Whether tokens are bound to a key of the client (RFC 9449).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Dpop {
    /// The demo issues bearer tokens, and ignores proofs.
    #[default]
    Off,
    /// Token requests, and requests to the MCP server, need a proof.
    Required,
    /// Each proof also needs a nonce, which is valid for five minutes. The authorization server and the MCP server have
    /// nonces of their own, and each response has a new one.
    RequiredWithNonces,
}

/// The MCP server's response to a request without a valid token.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Guard {
    /// Every request gets 401 with a challenge.
    #[default]
    Everything,
    /// Only tool calls get 401. Other requests need no token.
    ToolCallsOnly,
    /// Tool calls get 200 with an error result that mentions a 401. Other requests need no token.
    UnauthorizedInResult,
}

/// The supported eras of MCP. An era is a group of protocol versions that start a connection in the same way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Eras {
    /// Version 2026-07-28, and every version with an `initialize` handshake that rmcp supports.
    #[default]
    All,
    /// Only versions with the handshake. As on older servers, `server/discover` is an unknown method.
    HandshakeOnly,
}

/// A faulty response of the token endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenFault {
    /// 500 with plain text.
    ServerError,
    /// 503, optionally with `Retry-After`.
    Unavailable {
        /// The wait in seconds.
        retry_after: Option<u32>,
    },
    /// 429 with `Retry-After`.
    TooManyRequests {
        /// The wait in seconds.
        retry_after: u32,
    },
    /// 200 with an HTML page, as from a captive portal.
    HtmlPage,
    /// 503 with `invalid_grant` in the body. The grant is still valid: the code counts only with status 400 or 401.
    UnavailableInvalidGrant,
    /// 400 `invalid_grant`.
    InvalidGrant,
    /// 401 `invalid_client`.
    InvalidClient,
    /// The request is processed, but the response is 502, so a rotated refresh token is lost.
    ResponseLost,
}

/// A faulty response of `tools/list`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ListFault {
    /// 502 with plain text.
    BadGateway,
    /// 403 that requires `notes:write`, even if the token has it.
    InsufficientScope,
}
