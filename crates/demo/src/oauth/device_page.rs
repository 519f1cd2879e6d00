//! The pages for a sign-in on another device: the code, the consent, the result.

use axum::response::Response;
use maud::{Markup, html};

use super::page::{Page, logo};
use super::person::PERSON;
use super::scopes::Scopes;

/// The longest code that the field accepts.
const LONGEST: usize = 20;

pub(crate) fn ask_for_code(code: &str, is_unknown: bool) -> Response {
    let code: String = code.chars().filter(|c| c.is_ascii_graphic()).take(LONGEST).collect();
    page(
        "Enter the code",
        html! {
            h1 { "Enter the code" }
            p .lead { "The app on your other device shows it." }
            form method="post" action="/device" {
                p {
                    label for="user_code" { "Code" }
                    input #user_code type="text" name="user_code" value=(code) maxlength=(LONGEST) required
                        autocomplete="off" spellcheck="false" aria-describedby=[is_unknown.then_some("unknown")];
                }
                @if is_unknown { p #unknown role="alert" { "This code is unknown or has expired." } }
                div .buttons { button #continue .primary type="submit" { "Continue" } }
            }
        },
    )
}

pub(crate) fn ask_for_consent(app: &str, code: &str, scopes: &Scopes, ticket: &str) -> Response {
    page(
        "Allow access to Usher demo?",
        html! {
            h1 { (app) " would like to access Usher demo" }
            div .account {
                div .initials aria-hidden="true" { (PERSON.initials) }
                div { strong { (PERSON.name) } span { (PERSON.email) } }
            }
            h2 { "It will be able to" }
            ul {
                @for scope in scopes.iter() {
                    @let (permission, detail) = scope.description();
                    li {
                        svg viewBox="0 0 20 20" width="20" height="20" aria-hidden="true" { path d="M4 10.5l4 4 8-9" {} }
                        div { strong { (permission) } span .why { (detail) } }
                    }
                }
            }
            div .destination {
                p { "The app must show the code " code { (code) } "." }
                p { "The app chose the name “" (app) "” itself. Allow access only if you just started this sign-in." }
            }
            form #question method="post" action="/device" {
                input type="hidden" name="ticket" value=(ticket);
                div .buttons {
                    button #deny type="submit" name="decision" value="deny" { "Deny" }
                    button #allow .primary type="submit" name="decision" value="allow" { "Allow" }
                }
            }
        },
    )
}

pub(crate) fn done(is_allowed: bool, app: &str) -> Response {
    let title = if is_allowed { "Access allowed" } else { "Access denied" };
    page(
        title,
        html! {
            h1 #done { (title) }
            p .lead { "You can close this page and return to " (app) "." }
        },
    )
}

fn page(title: &str, content: Markup) -> Response {
    let card = html! { (logo()) (content) };
    Page { title, card, script: None, form_action: "" }.into_response()
}
