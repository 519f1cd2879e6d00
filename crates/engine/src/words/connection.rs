//! Messages about errors between Usher and an MCP server.

use usher_api::{Code, ErrorView};
use usher_config::display_text;

use super::credentials::describe_credential_fault;
use super::program;
use super::secret_origin::secret_not_allowed;
use super::sign_in::describe_oauth_error;
use crate::connection::fault::Fault;
use crate::connection::rpc_error::RpcError;

/// A server's name and host, for messages.
pub(crate) struct ServerLabel {
    pub name: String,
    pub host: Option<String>,
}

impl ServerLabel {
    /// Returns the name, followed by the host unless the name contains it.
    fn with_host(&self) -> String {
        match &self.host {
            Some(host) if !self.name.contains(host.as_str()) => format!("{} at {host}", self.name),
            Some(_) | None => self.name.clone(),
        }
    }
}

pub(crate) fn describe_fault(fault: &Fault, server: &ServerLabel) -> ErrorView {
    let (name, at) = (&server.name, server.with_host());
    match fault {
        Fault::Unauthorized { token_sent: false, .. } => ErrorView::new(
            Code::SignInRequired,
            format!("{name} needs you to sign in."),
            format!("Sign in to {name}."),
        ),
        Fault::Unauthorized { token_sent: true, .. } => ErrorView::new(
            Code::SignInRequired,
            format!("{name} no longer accepts this sign-in."),
            format!("Sign in to {name} again."),
        ),
        Fault::InsufficientScope { challenge } => ErrorView {
            details: challenge.scope.as_ref().map(|scope| format!("scope {scope}")),
            ..ErrorView::new(
                Code::InsufficientScope,
                format!("{name} asks for more permissions."),
                format!("Sign in to {name} again and approve the request."),
            )
        },
        Fault::Exchange(cause) => describe_oauth_error(cause),
        Fault::Credentials(fault) => describe_credential_fault(fault, name),
        Fault::Unreachable(why) => ErrorView::new(
            Code::ServerUnreachable,
            format!("Could not reach {at}."),
            "Check the network and the address. Usher retries automatically.",
        )
        .with_details(why),
        Fault::Tls(why) => ErrorView::new(
            Code::TlsFailed,
            format!("Could not make a secure connection to {at}."),
            "Check this computer's date and network. A captive portal or an inspecting proxy can cause this.",
        )
        .with_details(why),
        Fault::TimedOut(seconds) => ErrorView::new(
            Code::ServerUnreachable,
            format!("{at} did not respond within {seconds} seconds."),
            "Try again in a moment.",
        ),
        Fault::Status { status: 403, .. } => ErrorView::new(
            Code::ProtocolError,
            format!("{name} does not allow this (HTTP 403)."),
            "Ask the service's administrator whether your account may use it.",
        ),
        Fault::Status { status: status @ (404 | 405 | 410), .. } => ErrorView::new(
            Code::ProtocolError,
            format!("There is no MCP service at the address of {name} (HTTP {status})."),
            "Check the address.",
        ),
        Fault::Status { status, .. } if fault.is_transient() => ErrorView::new(
            Code::ServerUnreachable,
            format!("{at} is temporarily unavailable (HTTP {status})."),
            "Try again in a moment. Usher also retries automatically.",
        ),
        Fault::Status { status, .. } => ErrorView::new(
            Code::ProtocolError,
            format!("{name} rejected the request (HTTP {status})."),
            "Check the address and the headers in mcp.json.",
        ),
        Fault::Redirected { host } => ErrorView::new(
            Code::ProtocolError,
            match host {
                Some(host) => format!("{name} redirects to {host}. Usher does not send your sign-in there."),
                None => format!("{name} answered with a redirect that Usher does not follow."),
            },
            "If the service moved, change its address.",
        ),
        Fault::Lost => ErrorView::new(
            Code::ServerUnreachable,
            format!("The connection to {name} was lost."),
            "Try again. The last call may or may not have run.",
        ),
        Fault::Rpc(RpcError { code, message, data: _ }) => ErrorView::without_hint(
            Code::ProtocolError,
            format!("{name} returned an error: {}", display_text(message, 500)),
        )
        .with_details(format!("JSON-RPC error {code}")),
        Fault::Protocol(what) => ErrorView::new(
            Code::ProtocolError,
            format!("Communication with {at} failed: {}.", display_text(what, 500)),
            "Check that this is the address of an MCP service.",
        ),
        Fault::LimitExceeded(limit) => ErrorView::new(
            Code::ProtocolError,
            format!("Usher disconnected {at}, because {}.", display_text(limit, 500)),
            "Usher tries again later. If this happens again, tell the service's support.",
        ),
        Fault::SecretNotAllowed(requests) => secret_not_allowed(name, requests),
        Fault::NotApproved => program::not_approved(name),
        Fault::Exited(end) => program::exited(name, end),
        Fault::Setup(view) => view.as_ref().clone(),
        Fault::Cancelled => ErrorView::without_hint(Code::ProtocolError, "The call was cancelled."),
    }
}

/// Describes a server that answers every step-up with another one.
pub(crate) fn endless_step_up(name: &str) -> ErrorView {
    ErrorView::new(
        Code::ProtocolError,
        format!("{name} asks for more permissions after each approval."),
        "Ask the service's support which permissions are required.",
    )
}

/// Describes a server that rejects the `Authorization` header of `mcp.json`.
pub(crate) fn header_rejected(name: &str) -> ErrorView {
    ErrorView::new(
        Code::SignInRequired,
        format!("{name} rejects the Authorization header in mcp.json."),
        "Check the header or its secret. Without the header, Usher can sign in for you.",
    )
}

/// Describes a tool result that rejects the sign-in, although the server accepts it.
pub(crate) fn refused_in_result(name: &str) -> ErrorView {
    ErrorView::new(
        Code::SignInRequired,
        format!("A tool of {name} does not accept this sign-in."),
        format!("If this continues, sign in to {name} again."),
    )
}

#[cfg(test)]
mod tests {
    use usher_api::SecretRequestView;
    use usher_oauth::Challenge;

    use super::*;
    use crate::words::sign_in::tests::lines;

    #[test]
    fn every_connection_fault_has_a_message() {
        let server = ServerLabel { name: "Notes".to_owned(), host: Some("mcp.example.com".to_owned()) };
        let challenge = || Box::new(Challenge::default());
        let faults = [
            Fault::Unauthorized { challenge: None, token_sent: false },
            Fault::Unauthorized { challenge: None, token_sent: true },
            Fault::InsufficientScope { challenge: challenge() },
            Fault::Unreachable("connection refused".to_owned()),
            Fault::Tls("certificate has expired".to_owned()),
            Fault::TimedOut(30),
            Fault::Status { status: 403, retry_after: None },
            Fault::Status { status: 404, retry_after: None },
            Fault::Status { status: 418, retry_after: None },
            Fault::Status { status: 429, retry_after: Some(3) },
            Fault::Status { status: 502, retry_after: None },
            Fault::Redirected { host: Some("evil.example".to_owned()) },
            Fault::Redirected { host: None },
            Fault::Lost,
            Fault::Rpc(RpcError { code: -32602, message: "no \u{1b}[31msuch tool".to_owned(), data: None }),
            Fault::Protocol("the server answered with text/html instead of JSON".to_owned()),
            Fault::SecretNotAllowed(vec![SecretRequestView {
                secret: "{{notes_key}}".to_owned(),
                origin: "https://evil.example".to_owned(),
                allowed_origins: vec!["https://mcp.example.com".to_owned()],
            }]),
            Fault::Cancelled,
        ];
        insta::assert_snapshot!(lines(faults.iter().map(|fault| describe_fault(fault, &server))));
    }
}
