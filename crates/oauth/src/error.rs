//! The errors of a sign-in: the step, the host, the cause and a hint.

use std::time::Duration;

/// The step of a sign-in that an [`Error`] belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Step {
    /// Parsing and resolving the server's URL.
    Probe,
    /// Protected resource metadata (RFC 9728).
    ResourceMetadata,
    /// Authorization server metadata (RFC 8414, OpenID Connect Discovery).
    ServerMetadata,
    /// Client registration (RFC 7591), or the choice of an existing client.
    Registration,
    /// Building the authorization request, or requesting a device code (RFC 8628).
    Authorization,
    /// Accepting the authorization response.
    Callback,
    /// Exchanging the code for tokens.
    TokenExchange,
    /// Refreshing the tokens.
    Refresh,
    /// Revoking the tokens (RFC 7009).
    Revocation,
}

impl Step {
    /// The beginning of an error message.
    fn failure(self, host: &str) -> String {
        match self {
            Step::Probe => format!("Could not reach {host}"),
            Step::ResourceMetadata => format!("Could not discover how to sign in to {host}"),
            Step::ServerMetadata => format!("Could not load the sign-in configuration of {host}"),
            Step::Registration => format!("Could not register Usher with {host}"),
            Step::Authorization => format!("Could not start the sign-in at {host}"),
            Step::Callback => format!("Could not sign in at {host}"),
            Step::TokenExchange => format!("Could not complete the sign-in at {host}"),
            Step::Refresh => format!("Could not refresh the sign-in at {host}"),
            Step::Revocation => format!("Could not sign out at {host}"),
        }
    }
}

/// A failed step. `Display` states the step, the host and the cause; [`Error::hint`] states the next step.
///
/// Neither text contains a token, a code, a verifier, a client secret, or a URL with a query.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.message())]
pub struct Error {
    pub step: Step,
    /// The host of the request, without the port. `None` if it was not known yet.
    pub host: Option<String>,
    pub kind: ErrorKind,
    /// The addresses at which a document was searched for, in the order of their priority. Empty for other steps.
    pub tried: Box<[Attempt]>,
}

/// An address that was tried, and the reason why its response was not used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// A well-known address, or the address in a challenge. It contains no secret.
    pub url: String,
    pub why: String,
}

/// The cause of an error. Text from servers is sanitised and truncated for display.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ErrorKind {
    #[error("the connection failed ({why})")]
    Unreachable { why: String },
    /// The request was sent, so the server may have processed it.
    #[error("the connection was closed before the response arrived ({why})")]
    ConnectionLost { why: String },
    #[error("the secure connection failed ({why})")]
    Tls { why: String },
    #[error("the request timed out")]
    Timeout,
    #[error("the response is larger than 1 MiB")]
    TooLarge,
    #[error("the response is not JSON")]
    NotJson,
    #[error("the response is invalid: {what}")]
    Malformed { what: String },
    #[error("the service returned HTTP {0}")]
    Status(u16),
    #[error("the service sent a redirect that Usher does not follow: {why}")]
    BadRedirect { why: String },
    #[error("the address of {name} is invalid: {why}")]
    BadEndpoint { name: String, why: String },
    #[error("{address} is a private address that a public service must not use")]
    BlockedAddress { address: String },
    #[error("the service publishes no OAuth metadata")]
    MetadataMissing,
    #[error("the metadata names the issuer “{found}” instead of “{expected}”")]
    IssuerMismatch { expected: String, found: String },
    #[error("the metadata describes “{found}” instead of “{expected}”")]
    ResourceMismatch { expected: String, found: String },
    #[error("the service does not advertise PKCE")]
    PkceUnsupported,
    #[error("the authorization endpoint already contains “{0}”, which only Usher may set")]
    ReservedParameter(String),
    #[error("the service accepts no registrations, and no client ID is configured")]
    RegistrationUnsupported,
    #[error("the service rejected the registration{}", reason(.why))]
    RegistrationRejected { status: u16, why: Option<String> },
    #[error("the service rejected the redirect URI{}", reason(.why))]
    RedirectRejected { why: Option<String> },
    #[error("the redirect URI is invalid: {why}")]
    BadRedirectUri { why: String },
    #[error("access was denied")]
    Denied,
    #[error("the service returned “{code}”{}", reason(.description))]
    AuthorizationError { code: String, description: Option<String> },
    #[error("the callback address is invalid: {why}")]
    BadCallback { why: &'static str },
    #[error("the callback belongs to another sign-in")]
    StateMismatch,
    #[error("the sign-in expired")]
    Expired,
    /// The `iss` parameter of the callback (RFC 9207) is missing or wrong.
    #[error("the callback names {}; expected “{expected}”", describe_issuer(.received))]
    CallbackIssuerMismatch { expected: String, received: Option<String> },
    /// The authorization server ended the grant: HTTP 400 or 401 with JSON `invalid_grant`.
    #[error("the sign-in is no longer valid{}", reason(.description))]
    InvalidGrant { description: Option<String> },
    /// The authorization server does not know the client any more.
    #[error("the service no longer recognises Usher{}", reason(.description))]
    InvalidClient { description: Option<String> },
    /// An outage, a rate limit or a captive portal. The grant is still valid.
    #[error("the service is temporarily unavailable (HTTP {status})")]
    Transient { status: u16, retry_after: Option<Duration> },
    #[error("the service returned “{error}”{}", reason(.description))]
    TokenError { error: String, description: Option<String> },
    /// The authorization server refused the proof that Usher has the key of the tokens (RFC 9449 §5).
    #[error("the service rejected the proof of Usher's key{}", reason(.description))]
    ProofRefused { description: Option<String> },
    /// The authorization server also refused a proof with the nonce that it sent (RFC 9449 §8).
    #[error("the service rejected the nonce that it sent")]
    NonceRefused,
    #[error("the service issued a token of the unsupported type “{0}”")]
    UnsupportedTokenType(String),
    /// The authorization server issues no tokens for this resource (RFC 8707 §2).
    #[error("the authorization server issues no tokens for this service{}", reason(.description))]
    InvalidTarget { description: Option<String> },
    /// The authorization server does not know the `resource` parameter (RFC 8707).
    #[error("the service does not accept the “resource” parameter{}", reason(.description))]
    ResourceRejected { description: Option<String> },
    /// The client asks too often for the outcome of a device authorization (RFC 8628 §3.5).
    #[error("the service asks Usher to wait")]
    SlowDown {
        /// The number of seconds between two requests.
        interval: Option<u64>,
    },
    /// The authorization server has no device authorization endpoint, or one that does not belong to it.
    #[error("the service offers no sign-in on another device")]
    DeviceUnsupported,
    /// The settings of a sign-in without a person lack something.
    #[error("the settings lack {what}")]
    SettingMissing { what: &'static str },
    /// The assertion of the platform has expired, so it was not sent.
    #[error("the assertion has expired")]
    AssertionExpired,
    /// The file with the assertion of the platform cannot be read.
    #[error("the assertion cannot be read")]
    AssertionMissing,
    #[error("the request could not be signed")]
    SigningFailed,
    #[error("the client secret is missing")]
    ClientSecretMissing,
    #[error("there is no refresh token")]
    NoRefreshToken,
}

/// Errors of token endpoints that report an outage or a rate limit.
const OUTAGES: [&str; 9] = [
    "temporarily_unavailable",
    "server_error",
    "service_unavailable",
    "internal_error",
    "fatal_error",
    "request_timeout",
    "ratelimited",
    "rate_limited",
    "too_many_requests",
];

fn describe_issuer(received: &Option<String>) -> String {
    received.as_ref().map_or_else(|| "no issuer".to_owned(), |iss| format!("the issuer “{iss}”"))
}

fn reason(text: &Option<String>) -> String {
    text.as_ref().map_or_else(String::new, |text| format!(": “{text}”"))
}

impl Error {
    pub fn new(step: Step, host: Option<&str>, kind: ErrorKind) -> Self {
        Error { step, host: host.map(str::to_owned), kind, tried: Box::default() }
    }

    fn message(&self) -> String {
        let host = self.host.as_deref().unwrap_or("the service");
        match &self.kind {
            ErrorKind::Unreachable { why } => format!("Could not reach {host} ({why})"),
            kind => format!("{}: {kind}", self.step.failure(host)),
        }
    }

    /// Whether the authorization server ended the grant. After any other error the grant must be kept.
    pub fn is_terminal_for_grant(&self) -> bool {
        matches!(self.kind, ErrorKind::InvalidGrant { .. })
    }

    /// Whether the authorization server rejected the refresh token with an error that is not the standard one. The
    /// person has to sign in, but the grant is kept, because a later refresh may succeed.
    pub fn is_refresh_rejected(&self) -> bool {
        let is_rejection = match &self.kind {
            ErrorKind::TokenError { error, .. } => !OUTAGES.contains(&error.as_str()),
            ErrorKind::InvalidTarget { .. }
            | ErrorKind::ResourceRejected { .. }
            | ErrorKind::ProofRefused { .. } => true,
            _ => false,
        };
        is_rejection && self.step == Step::Refresh
    }

    /// Whether the authorization server rejected the requested scopes (RFC 6749 §4.1.2.1).
    pub fn is_scope_rejected(&self) -> bool {
        matches!(&self.kind, ErrorKind::AuthorizationError { code, .. } if code == "invalid_scope")
    }

    /// Whether the authorization server rejected the `prompt` parameter.
    pub fn is_prompt_rejected(&self) -> bool {
        let ErrorKind::AuthorizationError { code, description } = &self.kind else { return false };
        let texts = [Some(code), description.as_ref()];
        texts.into_iter().flatten().any(|text| text.to_ascii_lowercase().contains("prompt"))
    }

    /// Whether the stored [`ClientRegistration`](crate::ClientRegistration) is no longer valid, so that the client has
    /// to register again.
    pub fn is_registration_lost(&self) -> bool {
        matches!(self.kind, ErrorKind::InvalidClient { .. })
    }

    /// Whether the same request may succeed later.
    pub fn is_transient(&self) -> bool {
        matches!(
            self.kind,
            ErrorKind::Unreachable { .. }
                | ErrorKind::ConnectionLost { .. }
                | ErrorKind::Tls { .. }
                | ErrorKind::Timeout
                | ErrorKind::TooLarge
                | ErrorKind::NotJson
                | ErrorKind::Transient { .. }
                | ErrorKind::SlowDown { .. }
                | ErrorKind::NonceRefused
        )
    }

    /// Whether a later request for a grant without a person may succeed with the same settings: after an outage, or with
    /// the next assertion of the platform.
    pub fn may_pass_without_person(&self) -> bool {
        match &self.kind {
            ErrorKind::AssertionExpired | ErrorKind::AssertionMissing => true,
            ErrorKind::TokenError { error, .. } => OUTAGES.contains(&error.as_str()),
            // A gateway or a captive portal. An authorization server refuses a client with other statuses, and in JSON.
            ErrorKind::Status(status) => !matches!(status, 400 | 401),
            _ => self.is_transient(),
        }
    }

    /// Whether the server may have processed the request although it returned no usable result. A refresh token in the
    /// request may then be invalid.
    pub fn is_outcome_unknown(&self) -> bool {
        match self.kind {
            ErrorKind::ConnectionLost { .. }
            | ErrorKind::Timeout
            | ErrorKind::TooLarge
            | ErrorKind::NotJson
            | ErrorKind::Malformed { .. } => true,
            ErrorKind::Transient { status, .. } | ErrorKind::Status(status) => status == 408 || status >= 500,
            _ => false,
        }
    }

    /// Whether a request for another document of the same server would fail in the same way.
    pub(crate) fn is_server_unreachable(&self) -> bool {
        matches!(
            self.kind,
            ErrorKind::Unreachable { .. }
                | ErrorKind::Tls { .. }
                | ErrorKind::Transient { .. }
                | ErrorKind::BlockedAddress { .. }
        )
    }

    /// The server's `Retry-After`.
    pub fn retry_after(&self) -> Option<Duration> {
        match self.kind {
            ErrorKind::Transient { retry_after, .. } => retry_after,
            _ => None,
        }
    }
}
