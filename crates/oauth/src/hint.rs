//! The hint of each error: the next step for the person.

use crate::{Error, ErrorKind, Step};

impl Error {
    /// The next step, for display.
    pub fn hint(&self) -> &'static str {
        hint(self.step, &self.kind)
    }
}

fn hint(step: Step, kind: &ErrorKind) -> &'static str {
    match kind {
        ErrorKind::Unreachable { .. } | ErrorKind::ConnectionLost { .. } => {
            "Check the address and your network, then try again."
        }
        ErrorKind::Tls { .. } => {
            "Check this computer's date and network, then try again. A captive portal or a proxy that inspects \
             traffic can cause this error too."
        }
        ErrorKind::Timeout => "The service or the network may be slow. Try again in a moment.",
        ErrorKind::TooLarge | ErrorKind::NotJson => match step {
            Step::Refresh | Step::TokenExchange | Step::Revocation => {
                "A captive portal or an outage can cause this. Check your network, then try again."
            }
            _ => "Check that this is the address of an MCP service, then try again.",
        },
        ErrorKind::Malformed { .. } => "The service is misconfigured. Contact its operator.",
        ErrorKind::Status(_) => match step {
            Step::Probe | Step::ResourceMetadata | Step::ServerMetadata => {
                "Check the address. If it is correct, try again later."
            }
            _ => "Try again later. If the error persists, contact the service's operator.",
        },
        ErrorKind::BadRedirect { .. } | ErrorKind::BadEndpoint { .. } | ErrorKind::ReservedParameter(_) => {
            "This may be an attempt to mislead you. Do not continue unless the service's operator fixes it."
        }
        ErrorKind::BlockedAddress { .. } => {
            "This may be an attempt to access your private network. Do not continue unless the service's \
             operator explains it."
        }
        ErrorKind::MetadataMissing => {
            "Check the address. If the service uses an API key instead of OAuth, add the key to its headers."
        }
        ErrorKind::IssuerMismatch { .. } | ErrorKind::ResourceMismatch { .. } => {
            "Check the address. If it is correct, the service is misconfigured: contact its operator."
        }
        ErrorKind::PkceUnsupported => {
            "If you trust this service, set \"allowMissingPkce\": true in its settings. Usher still uses PKCE."
        }
        ErrorKind::RegistrationUnsupported => {
            "Create an app in the service's developer settings and enter its client ID here."
        }
        ErrorKind::RegistrationRejected { .. } => {
            "The service accepts only apps it knows. Create an app in its developer settings and enter its client \
             ID here."
        }
        ErrorKind::RedirectRejected { .. } => "Try another return method.",
        ErrorKind::BadRedirectUri { .. } => "Choose another return method in the service's settings.",
        ErrorKind::Denied => "Sign in again if you did not mean to deny access.",
        ErrorKind::AuthorizationError { code, .. } if code == "invalid_scope" => {
            "Sign in again; Usher will request fewer permissions."
        }
        ErrorKind::AuthorizationError { .. } | ErrorKind::TokenError { .. } => {
            "Sign in again. If the error persists, contact the service's operator."
        }
        ErrorKind::BadCallback { .. } => "Copy the whole address from the browser, then paste it again.",
        ErrorKind::StateMismatch => "Finish the sign-in in the latest browser page, or start again.",
        ErrorKind::Expired => "Sign in again and finish within the time shown.",
        ErrorKind::CallbackIssuerMismatch { .. } => {
            "Another server may have sent this callback. Do not try again unless the service's operator explains \
             it."
        }
        ErrorKind::InvalidGrant { .. } | ErrorKind::NoRefreshToken => "Sign in again.",
        ErrorKind::InvalidClient { .. } => {
            "Sign in again; Usher will register again. If you entered a client ID yourself, check it and its secret."
        }
        ErrorKind::Transient { .. } => "Usher tries again automatically.",
        ErrorKind::ProofRefused { .. } => {
            "Check the date and time of this computer, then sign in again. If the error persists, contact the \
             service's operator."
        }
        ErrorKind::NonceRefused => "Try again in a moment.",
        ErrorKind::UnsupportedTokenType(_) => {
            "Usher supports only Bearer and DPoP tokens. Contact the service's operator."
        }
        ErrorKind::ResourceRejected { .. } => {
            "Sign in again. If the error persists, contact the service's operator."
        }
        ErrorKind::InvalidTarget { .. } => {
            "This may be an attempt to get your sign-in to another service. Do not continue unless the service's \
             operator explains it."
        }
        ErrorKind::SlowDown { .. } => "Usher tries again automatically.",
        ErrorKind::DeviceUnsupported => "Sign in with the browser on this computer instead.",
        ErrorKind::SettingMissing { .. } => "Add it to the \"oauth\" settings of this service in mcp.json.",
        ErrorKind::AssertionExpired => {
            "Check that the platform renews the assertion, and this computer's clock."
        }
        ErrorKind::AssertionMissing => "Check \"assertionFile\" in the settings of this service.",
        ErrorKind::SigningFailed => "Check the private key of this service.",
        ErrorKind::ClientSecretMissing => "Enter the client secret again.",
    }
}
