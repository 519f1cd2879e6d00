//! JSON error responses (RFC 6749 §5.2, RFC 7591 §3.2.2).

use axum::Json;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

/// An error with its registered code and a description for developers.
#[derive(Debug)]
pub(crate) struct OAuthError {
    pub(crate) code: &'static str,
    pub(crate) description: String,
    /// Whether the response has the challenge for a client that used HTTP Basic.
    pub(crate) challenge: bool,
}

impl OAuthError {
    pub(crate) fn new(code: &'static str, description: impl Into<String>) -> Self {
        Self { code, description: description.into(), challenge: false }
    }

    pub(crate) fn invalid_request(description: impl Into<String>) -> Self {
        Self::new("invalid_request", description)
    }

    pub(crate) fn invalid_grant(description: impl Into<String>) -> Self {
        Self::new("invalid_grant", description)
    }

    pub(crate) fn invalid_client(description: impl Into<String>) -> Self {
        Self::new("invalid_client", description)
    }

    /// The error for a request that names another resource.
    pub(crate) fn invalid_target(resource: &str) -> Self {
        Self::new("invalid_target", format!("resource must be {resource}"))
    }
}

impl IntoResponse for OAuthError {
    fn into_response(self) -> Response {
        let status = match self.code {
            "invalid_client" => StatusCode::UNAUTHORIZED,
            _ => StatusCode::BAD_REQUEST,
        };
        let body = serde_json::json!({ "error": self.code, "error_description": self.description });
        let challenge = [(header::WWW_AUTHENTICATE, r#"Basic realm="Usher demo""#)];
        (status, no_store(), self.challenge.then_some(challenge), Json(body)).into_response()
    }
}

/// The headers of every response that may contain a secret (RFC 6749 §5.1).
pub(crate) fn no_store() -> [(header::HeaderName, &'static str); 2] {
    [(header::CACHE_CONTROL, "no-store"), (header::PRAGMA, "no-cache")]
}
