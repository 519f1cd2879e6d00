//! What to do next after each kind of failure, in plain words.

use crate::{ErrorKind, Step};

pub(crate) fn hint(step: Step, kind: &ErrorKind) -> &'static str {
    match kind {
        ErrorKind::Unreachable { .. } | ErrorKind::BrokenOff { .. } => {
            "Check the network and the service's address, then try again."
        }
        ErrorKind::Tls { .. } => {
            "Check this computer's date and the network (a captive portal or an inspecting proxy does this), then \
             try again."
        }
        ErrorKind::Timeout => "The service or the network is slow. Try again in a moment.",
        ErrorKind::TooLarge | ErrorKind::NotJson => match step {
            Step::Refresh | Step::TokenExchange | Step::Revocation => {
                "A captive portal or an outage answers like this. Check the network and try again."
            }
            _ => "Check that the address is that of an MCP service, then try again.",
        },
        ErrorKind::Malformed { .. } => "The service is set up wrongly. Its operator has to correct this.",
        ErrorKind::Status(_) => match step {
            Step::Probe | Step::ResourceMetadata | Step::ServerMetadata => {
                "Check the address. If it is right, the service has trouble: try again later."
            }
            _ => "The service did not expect this. Try again later, or tell its operator.",
        },
        ErrorKind::BadRedirect { .. } | ErrorKind::BadEndpoint { .. } | ErrorKind::ReservedParameter(_) => {
            "This can be an attempt to mislead you. Do not go on unless the service's operator corrects it."
        }
        ErrorKind::BlockedAddress { .. } => {
            "A service on the internet must not lead into your own network. Do not go on unless its operator \
             explains this."
        }
        ErrorKind::MetadataMissing => {
            "Check the address. If the service needs no OAuth but a key, put the key into its headers instead."
        }
        ErrorKind::IssuerMismatch { .. } | ErrorKind::ResourceMismatch { .. } => {
            "The service's sign-in information contradicts itself. Check the address; its operator has to correct \
             the rest."
        }
        ErrorKind::PkceUnsupported => {
            "If you trust this service, allow it in its settings (\"allowMissingPkce\": true); Usher still uses PKCE."
        }
        ErrorKind::RegistrationUnsupported => {
            "Create an app in the service's developer settings and enter its client id here."
        }
        ErrorKind::RegistrationRejected { .. } => {
            "The service only takes apps it knows. Create an app in its developer settings and enter its client id \
             here."
        }
        ErrorKind::RedirectRejected { .. } => "Try the next way back to this app.",
        ErrorKind::BadRedirectUri { .. } => "Choose another way back in the service's settings.",
        ErrorKind::Denied => "Sign in again if that was not what you wanted.",
        ErrorKind::AuthorizationError { .. } => {
            "Sign in again. If it comes back, ask the service's operator."
        }
        ErrorKind::BadCallback { .. } => {
            "Copy the whole address from the browser, from its first character to its last, and paste it again."
        }
        ErrorKind::StateMismatch => "Finish the sign-in in the newest browser page, or start again.",
        ErrorKind::Expired => "Sign in again and finish within the time shown.",
        ErrorKind::IssMismatch { .. } => {
            "The answer came from somewhere else than the service that was asked. Do not repeat this unless its \
             operator explains it."
        }
        ErrorKind::InvalidGrant { .. } => "Sign in again.",
        ErrorKind::InvalidClient { .. } => {
            "Sign in again; Usher registers anew. If you entered a client id yourself, check it and its secret."
        }
        ErrorKind::Transient { .. } => "Nothing is lost. Usher tries again by itself.",
        ErrorKind::TokenRefused { .. } => "Sign in again. If it comes back, ask the service's operator.",
        ErrorKind::TokenTypeUnknown(_) => {
            "Usher cannot use such tokens. Ask the service's operator for bearer tokens."
        }
        ErrorKind::ResourceRefused { .. } => "Sign in again; Usher leaves the parameter out.",
        ErrorKind::ClientSecretMissing => "Enter the client secret again.",
        ErrorKind::NoRefreshToken => "Sign in again.",
    }
}
