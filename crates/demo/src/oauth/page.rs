//! The layout of the HTML pages, with their style sheet and security headers.

use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::signing::random_id;

const STYLE: &str = include_str!("page.css");

/// One page and the variable parts of its Content-Security-Policy.
pub(crate) struct Page<'a> {
    pub(crate) title: &'a str,
    pub(crate) card: Markup,
    pub(crate) script: Option<&'static str>,
    /// The form target that is allowed besides this service. Chromium also checks the redirect after a form
    /// submission.
    pub(crate) form_action: &'a str,
}

impl Page<'_> {
    pub(crate) fn into_response(self) -> Response {
        let nonce = random_id();
        let policy = format!(
            "default-src 'none'; style-src 'nonce-{nonce}'; script-src 'nonce-{nonce}'; img-src data:; \
             form-action 'self' {}; frame-ancestors 'none'; base-uri 'none'",
            self.form_action
        );
        let markup = html! {
            (DOCTYPE)
            html lang="en" {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    meta name="color-scheme" content="light dark";
                    title { (self.title) }
                    link rel="icon" href="data:,";
                    style nonce=(nonce) { (PreEscaped(STYLE)) }
                }
                body {
                    main { (self.card) }
                    footer {
                        p { "Usher demo runs on this computer only." }
                    }
                    @if let Some(script) = self.script {
                        script nonce=(nonce) { (PreEscaped(script)) }
                    }
                }
            }
        };
        let headers = [
            (header::CONTENT_SECURITY_POLICY, policy.as_str()),
            (header::X_FRAME_OPTIONS, "DENY"),
            (header::CACHE_CONTROL, "no-store"),
            (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
            (header::REFERRER_POLICY, "same-origin"),
        ];
        (headers, Html(markup.into_string())).into_response()
    }
}

/// Returns an error page, without a redirect.
pub(crate) fn error(title: &str, description: &str) -> Response {
    let card = html! {
        (logo())
        h1 { (title) }
        p .lead { (description) }
    };
    (StatusCode::BAD_REQUEST, Page { title, card, script: None, form_action: "" }.into_response())
        .into_response()
}

/// Returns the logo (a notebook) with the service's name.
pub(crate) fn logo() -> Markup {
    html! {
        div .mark {
            svg viewBox="8 4 32 40" width="38" height="48" aria-hidden="true" {
                rect .cover x="9" y="5" width="30" height="38" rx="5" {}
                rect .spine x="9" y="5" width="7" height="38" rx="3.5" {}
                path .lines d="M21 16h12M21 23h12M21 30h7" {}
                path .ribbon d="M32 5v9l-2.5-2.2L27 14V5z" {}
            }
            p .service { "Usher demo" }
        }
    }
}
