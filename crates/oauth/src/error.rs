//! What can go wrong in a sign-in: the step, the host, what happened there, and what to do next.

use std::time::Duration;

/// The step of a sign-in that an [`Error`] belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Step {
    /// Looking at the server's address.
    Probe,
    /// Protected resource metadata (RFC 9728).
    ResourceMetadata,
    /// Authorization server metadata (RFC 8414, OpenID Connect Discovery).
    ServerMetadata,
    /// Client registration (RFC 7591) or the choice of a client that exists already.
    Registration,
    /// Building the authorization request.
    Authorization,
    /// The authorization response that came back through the browser.
    Callback,
    /// Trading the code for tokens.
    TokenExchange,
    /// Trading the refresh token for new tokens.
    Refresh,
    /// Telling the authorization server that the tokens are no longer wanted (RFC 7009).
    Revocation,
}

impl Step {
    fn doing(self, host: Option<&str>) -> String {
        let host = host.unwrap_or("the service");
        match self {
            Step::Probe => format!("Connecting to {host}"),
            Step::ResourceMetadata => format!("Asking {host} how to sign in"),
            Step::ServerMetadata => format!("Asking {host} for its sign-in addresses"),
            Step::Registration => format!("Registering Usher at {host}"),
            Step::Authorization => format!("Preparing the sign-in at {host}"),
            Step::Callback => format!("The sign-in at {host}"),
            Step::TokenExchange => format!("Finishing the sign-in at {host}"),
            Step::Refresh => format!("Renewing the sign-in at {host}"),
            Step::Revocation => format!("Signing out at {host}"),
        }
    }
}

/// A failed step. `Display` says what happened at which host; [`Error::hint`] says what to do next.
///
/// Neither holds a token, a code, a verifier, a client secret, or a URL with a query.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{} failed: {kind}", step.doing(host.as_deref()))]
pub struct Error {
    pub step: Step,
    /// The host that the step spoke to, without a port; absent where none was known yet.
    pub host: Option<String>,
    pub kind: ErrorKind,
}

/// What happened. Texts from the other side are cleaned for display and cut short.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ErrorKind {
    #[error("there is no connection ({why})")]
    Unreachable { why: String },
    /// After the request was on its way: whether it was carried out is not known.
    #[error("the connection broke off before the answer was there ({why})")]
    BrokenOff { why: String },
    #[error("no secure connection could be made ({why})")]
    Tls { why: String },
    #[error("no answer came in time")]
    Timeout,
    #[error("the answer is larger than 1 MiB")]
    TooLarge,
    #[error("the answer is not JSON")]
    NotJson,
    #[error("the answer is not valid: {what}")]
    Malformed { what: String },
    #[error("it answered with status {0}")]
    Status(u16),
    #[error("it redirected in a way that is not followed: {why}")]
    BadRedirect { why: String },
    #[error("the address of {name} is not acceptable: {why}")]
    BadEndpoint { name: String, why: String },
    #[error("it leads to {address}, an address that it has no business with")]
    BlockedAddress { address: String },
    #[error("it publishes no sign-in information")]
    MetadataMissing,
    #[error("its document names the issuer “{found}”, where “{expected}” was asked for")]
    IssuerMismatch { expected: String, found: String },
    #[error("its document is about “{found}”, not about “{expected}”")]
    ResourceMismatch { expected: String, found: String },
    #[error("it does not say that it protects the sign-in with PKCE")]
    PkceUnsupported,
    #[error("its authorization address already carries “{0}”, which only Usher may set")]
    ReservedParameter(String),
    #[error("it takes no registrations, and no client id is configured")]
    RegistrationUnsupported,
    #[error("it refused the registration{}", reason(.why))]
    RegistrationRejected { status: u16, why: Option<String> },
    #[error("it refused the way back to this app{}", reason(.why))]
    RedirectRejected { why: Option<String> },
    #[error("the redirect address is not acceptable: {why}")]
    BadRedirectUri { why: String },
    #[error("access was denied")]
    Denied,
    #[error("it answered “{code}”{}", reason(.description))]
    AuthorizationError { code: String, description: Option<String> },
    #[error("the address that came back is not a valid answer: {why}")]
    BadCallback { why: &'static str },
    #[error("the answer belongs to another sign-in")]
    StateMismatch,
    #[error("the sign-in took too long")]
    Expired,
    #[error("the answer names {}, where “{expected}” was expected", received.as_ref().map_or_else(|| "no issuer".to_owned(), |iss| format!("the issuer “{iss}”")))]
    IssMismatch { expected: String, received: Option<String> },
    /// The authorization server says that the grant is over: HTTP 400 or 401 with JSON `invalid_grant`.
    #[error("the sign-in is no longer valid{}", reason(.description))]
    InvalidGrant { description: Option<String> },
    /// The authorization server no longer knows the client registration.
    #[error("it no longer knows this app's registration{}", reason(.description))]
    InvalidClient { description: Option<String> },
    /// An outage, a rate limit or a captive portal: nothing is known about the grant.
    #[error("it is not available at the moment (status {status})")]
    Transient { status: u16, retry_after: Option<Duration> },
    #[error("it answered “{error}”{}", reason(.description))]
    TokenRefused { error: String, description: Option<String> },
    #[error("it issued a token of the unknown type “{0}”")]
    TokenTypeUnknown(String),
    /// The authorization server named the `resource` parameter as what it refuses.
    #[error("it does not accept the “resource” parameter{}", reason(.description))]
    ResourceRefused { description: Option<String> },
    #[error("the client secret is missing")]
    ClientSecretMissing,
    #[error("there is no refresh token")]
    NoRefreshToken,
}

fn reason(text: &Option<String>) -> String {
    text.as_ref().map_or_else(String::new, |text| format!(": “{text}”"))
}

impl Error {
    pub(crate) fn new(step: Step, host: Option<&str>, kind: ErrorKind) -> Self {
        Error { step, host: host.map(str::to_owned), kind }
    }

    /// True only when the authorization server itself ended the grant; every other failure keeps it.
    pub fn is_terminal_for_grant(&self) -> bool {
        matches!(self.kind, ErrorKind::InvalidGrant { .. })
    }

    /// True when the kept [`ClientRegistration`](crate::ClientRegistration) should be forgotten and made anew.
    pub fn is_registration_lost(&self) -> bool {
        matches!(self.kind, ErrorKind::InvalidClient { .. })
    }

    /// True when the same call may well succeed later without anybody's doing.
    pub fn is_transient(&self) -> bool {
        matches!(
            self.kind,
            ErrorKind::Unreachable { .. }
                | ErrorKind::BrokenOff { .. }
                | ErrorKind::Tls { .. }
                | ErrorKind::Timeout
                | ErrorKind::TooLarge
                | ErrorKind::NotJson
                | ErrorKind::Transient { .. }
        )
    }

    /// True when the request may have been carried out although no answer says so: a refresh token that was sent with
    /// it may be spent.
    pub fn leaves_open(&self) -> bool {
        match self.kind {
            ErrorKind::BrokenOff { .. }
            | ErrorKind::Timeout
            | ErrorKind::TooLarge
            | ErrorKind::NotJson
            | ErrorKind::Malformed { .. } => true,
            ErrorKind::Transient { status, .. } | ErrorKind::Status(status) => status == 408 || status >= 500,
            _ => false,
        }
    }

    /// True when the failure lies in one document, so that another form of its address is worth a look.
    pub(crate) fn is_about_one_document(&self) -> bool {
        matches!(
            self.kind,
            ErrorKind::Status(_) | ErrorKind::Malformed { .. } | ErrorKind::NotJson | ErrorKind::TooLarge
        )
    }

    /// How long the other side asked to be left alone.
    pub fn retry_after(&self) -> Option<Duration> {
        match self.kind {
            ErrorKind::Transient { retry_after, .. } => retry_after,
            _ => None,
        }
    }

    /// What to do next, in plain words.
    pub fn hint(&self) -> &'static str {
        crate::hint::hint(self.step, &self.kind)
    }
}
