//! The error messages with their hints.

use std::time::Duration;

use usher_oauth::{Error, ErrorKind, Step};

#[test]
fn every_error_has_a_message_and_a_hint() {
    let text = |text: &str| text.to_owned();
    let some = |text: &str| Some(text.to_owned());
    let kinds = [
        (Step::Probe, ErrorKind::Unreachable { why: text("Connection refused (os error 111)") }),
        (Step::Refresh, ErrorKind::ConnectionLost { why: text("connection reset by peer") }),
        (Step::Probe, ErrorKind::Tls { why: text("its certificate has expired") }),
        (Step::ResourceMetadata, ErrorKind::Timeout),
        (Step::ResourceMetadata, ErrorKind::TooLarge),
        (Step::ServerMetadata, ErrorKind::NotJson),
        (Step::Refresh, ErrorKind::NotJson),
        (Step::ServerMetadata, ErrorKind::Malformed { what: text("it has no issuer") }),
        (Step::ResourceMetadata, ErrorKind::Status(500)),
        (Step::Refresh, ErrorKind::Status(403)),
        (Step::ServerMetadata, ErrorKind::BadRedirect { why: text("it leads from https to http") }),
        (
            Step::ServerMetadata,
            ErrorKind::BadEndpoint {
                name: text("the authorization endpoint"),
                why: text("“javascript:” is not allowed, only “https:”"),
            },
        ),
        (Step::ServerMetadata, ErrorKind::BlockedAddress { address: text("169.254.169.254") }),
        (Step::ServerMetadata, ErrorKind::MetadataMissing),
        (
            Step::ServerMetadata,
            ErrorKind::IssuerMismatch {
                expected: text("https://as.example"),
                found: text("https://evil.example"),
            },
        ),
        (
            Step::ResourceMetadata,
            ErrorKind::ResourceMismatch {
                expected: text("https://mcp.example"),
                found: text("https://evil.example"),
            },
        ),
        (Step::ServerMetadata, ErrorKind::PkceUnsupported),
        (Step::ServerMetadata, ErrorKind::ReservedParameter(text("state"))),
        (Step::Registration, ErrorKind::RegistrationUnsupported),
        (
            Step::Registration,
            ErrorKind::RegistrationRejected { status: 403, why: some("Client not allowed") },
        ),
        (Step::Registration, ErrorKind::RedirectRejected { why: some("only https") }),
        (Step::Authorization, ErrorKind::BadRedirectUri { why: text("it contains more than a path") }),
        (Step::Callback, ErrorKind::Denied),
        (
            Step::Callback,
            ErrorKind::AuthorizationError { code: text("invalid_scope"), description: some("no such scope") },
        ),
        (Step::Callback, ErrorKind::AuthorizationError { code: text("server_error"), description: None }),
        (Step::Callback, ErrorKind::BadCallback { why: "it repeats a parameter" }),
        (Step::Callback, ErrorKind::StateMismatch),
        (Step::Callback, ErrorKind::Expired),
        (
            Step::Callback,
            ErrorKind::CallbackIssuerMismatch {
                expected: text("https://as.example"),
                received: some("https://evil.example"),
            },
        ),
        (
            Step::Callback,
            ErrorKind::CallbackIssuerMismatch { expected: text("https://as.example"), received: None },
        ),
        (Step::Refresh, ErrorKind::InvalidGrant { description: some("token revoked") }),
        (Step::Refresh, ErrorKind::InvalidClient { description: None }),
        (Step::Refresh, ErrorKind::Transient { status: 503, retry_after: Some(Duration::from_secs(5)) }),
        (
            Step::TokenExchange,
            ErrorKind::TokenError { error: text("unsupported_grant_type"), description: None },
        ),
        (Step::TokenExchange, ErrorKind::ProofRefused { description: some("it is too old") }),
        (Step::Refresh, ErrorKind::NonceRefused),
        (Step::TokenExchange, ErrorKind::UnsupportedTokenType(text("MAC"))),
        (Step::TokenExchange, ErrorKind::ResourceRejected { description: some("unknown parameter") }),
        (Step::TokenExchange, ErrorKind::InvalidTarget { description: some("unknown resource") }),
        (Step::Refresh, ErrorKind::ClientSecretMissing),
        (Step::Revocation, ErrorKind::NoRefreshToken),
    ];
    let lines: Vec<String> = kinds
        .into_iter()
        .map(|(step, kind)| {
            let host = (step != Step::Callback).then(|| text("as.example"));
            let error = Error::new(step, host.as_deref(), kind);
            format!("{error}.\n    → {}", error.hint())
        })
        .collect();
    insta::assert_snapshot!(lines.join("\n"));
}
