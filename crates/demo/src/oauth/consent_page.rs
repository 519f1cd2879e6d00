//! The consent page, where the person allows or denies a request.

use axum::response::Response;
use maud::{Markup, html};

use super::authorization_request::AuthorizationRequest;
use super::page::{Page, logo};
use super::person::PERSON;
use super::redirect::{self, RedirectKind};

/// A redirect to a private-use scheme leaves the browser's tab open. This script then shows that the person can return
/// to the app. If the browser did not open the app, a second form can send the same ticket again.
const CONFIRMATION_SCRIPT: &str = "\
document.getElementById('question').addEventListener('submit', function (event) {
  var chosen = event.submitter && event.submitter.value === 'deny' ? 'denied' : 'allowed';
  setTimeout(function () {
    document.getElementById('asking').hidden = true;
    var panel = document.getElementById(chosen);
    panel.hidden = false;
    panel.focus();
  }, 0);
});";

pub(crate) fn render(request: &AuthorizationRequest, ticket: &str) -> Response {
    let app = request.client.name.as_str();
    let kind = redirect::kind(&request.redirect_uri);
    let stays_open = matches!(kind, Ok(RedirectKind::PrivateUse { .. }));
    let card = html! {
        (logo())
        div #asking {
            h1 { (app) " would like to access Usher demo" }
            div .account {
                div .initials aria-hidden="true" { (PERSON.initials) }
                div { strong { (PERSON.name) } span { (PERSON.email) } }
            }
            h2 { "It will be able to" }
            ul {
                @for scope in request.scopes.iter() {
                    @let (permission, detail) = scope.description();
                    li {
                        svg viewBox="0 0 20 20" width="20" height="20" aria-hidden="true" { path d="M4 10.5l4 4 8-9" {} }
                        div { strong { (permission) } span .why { (detail) } }
                    }
                }
            }
            (return_address(app, &request.redirect_uri, kind))
            form #question method="post" action="/authorize" {
                input type="hidden" name="ticket" value=(ticket);
                div .buttons {
                    button #deny type="submit" name="decision" value="deny" { "Deny" }
                    button #allow .primary type="submit" name="decision" value="allow" { "Allow" }
                }
            }
        }
        @if stays_open {
            (confirmation("allowed", "allow", app, "Access allowed", ticket))
            (confirmation("denied", "deny", app, "Access denied", ticket))
        }
    };
    Page {
        title: "Allow access to Usher demo?",
        card,
        script: stays_open.then_some(CONFIRMATION_SCRIPT),
        form_action: &form_action(&request.redirect_uri),
    }
    .into_response()
}

fn return_address(app: &str, redirect_uri: &str, kind: Result<RedirectKind, &'static str>) -> Markup {
    html! {
        div .destination {
            p {
                @match kind {
                    Ok(RedirectKind::Web) => "Your decision is sent to the website ",
                    Ok(RedirectKind::Loopback) => "Your decision is sent to a program on this computer at ",
                    Ok(RedirectKind::PrivateUse { .. }) | Err(_) => "Your decision is sent to the app on this computer that opens ",
                }
                code { (redirect_uri) }
            }
            p { "The app chose the name “" (app) "” itself. Allow access only if you just started this sign-in." }
        }
    }
}

fn confirmation(id: &str, decision: &str, app: &str, title: &str, ticket: &str) -> Markup {
    html! {
        div #(id) hidden tabindex="-1" {
            h1 { (title) }
            p .lead { "You can close this tab and return to " (app) "." }
            form .retry method="post" action="/authorize" {
                input type="hidden" name="ticket" value=(ticket);
                button type="submit" name="decision" value=(decision) { "Nothing happened? Open " (app) }
            }
        }
    }
}

/// Returns the source expression that allows the form to redirect to the redirect URI.
fn form_action(redirect_uri: &str) -> String {
    let Ok(url) = url::Url::parse(redirect_uri) else { return String::new() };
    match (url.scheme(), url.host()) {
        // A Content-Security-Policy cannot contain an IPv6 address.
        ("http" | "https", Some(url::Host::Ipv6(_))) => format!("{}:", url.scheme()),
        ("http" | "https", _) => url.origin().ascii_serialization(),
        (scheme, _) => format!("{scheme}:"),
    }
}
