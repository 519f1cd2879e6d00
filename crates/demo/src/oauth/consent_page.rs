//! The page on which a person allows or denies an app what it asks for.

use axum::response::Response;
use maud::{Markup, html};

use super::authorize::AuthorizationRequest;
use super::page::{Page, mark};
use super::person::PERSON;
use super::redirect::{self, RedirectKind};

/// A private-use scheme leaves the browser's tab where it is. As soon as the form is on its way the page says that the
/// person can go back; the second form sends the same ticket again, for a browser that did not open the app.
const AFTERWARDS: &str = "\
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
        (mark())
        div #asking {
            h1 { (app) " would like to use your notebook" }
            div .account {
                div .initials aria-hidden="true" { (PERSON.initials) }
                div { strong { (PERSON.name) } span { (PERSON.email) } }
            }
            h2 { "It will be able to" }
            ul {
                @for scope in request.scopes.iter() {
                    @let (what, detail) = scope.in_plain_words();
                    li {
                        svg viewBox="0 0 20 20" width="20" height="20" aria-hidden="true" { path d="M4 10.5l4 4 8-9" {} }
                        div { strong { (what) } span .why { (detail) } }
                    }
                }
            }
            (way_back(app, &request.redirect_uri, kind))
            form #question method="post" action="/authorize" {
                input type="hidden" name="ticket" value=(ticket);
                div .buttons {
                    button #deny type="submit" name="decision" value="deny" { "Deny" }
                    button #allow .primary type="submit" name="decision" value="allow" { "Allow" }
                }
            }
        }
        @if stays_open {
            (afterwards("allowed", "allow", app, "Access allowed", ticket))
            (afterwards("denied", "deny", app, "Access denied", ticket))
        }
    };
    Page {
        title: "Allow access to your notebook?",
        card,
        script: stays_open.then_some(AFTERWARDS),
        form_action: &form_action(&request.redirect_uri),
    }
    .into_response()
}

fn way_back(app: &str, redirect_uri: &str, kind: Result<RedirectKind, &'static str>) -> Markup {
    html! {
        div .back {
            p {
                @match kind {
                    Ok(RedirectKind::Web) => "Your answer goes to the website ",
                    Ok(RedirectKind::Loopback) => "Your answer goes to a program on this computer, at ",
                    Ok(RedirectKind::PrivateUse { .. }) | Err(_) => "Your answer goes to the app on this computer that opens ",
                }
                code { (redirect_uri) }
            }
            p { "The name “" (app) "” is the app’s own word. Allow it only if you have just started this sign-in." }
        }
    }
}

fn afterwards(id: &str, decision: &str, app: &str, title: &str, ticket: &str) -> Markup {
    html! {
        div #(id) hidden tabindex="-1" {
            h1 { (title) }
            p .lead { "You can go back to " (app) " and close this tab." }
            form .after method="post" action="/authorize" {
                input type="hidden" name="ticket" value=(ticket);
                button type="submit" name="decision" value=(decision) { "Nothing happened? Open " (app) }
            }
        }
    }
}

/// The source expression by which the policy lets the form lead to the redirect URI.
fn form_action(redirect_uri: &str) -> String {
    let Ok(url) = url::Url::parse(redirect_uri) else { return String::new() };
    match (url.scheme(), url.host()) {
        // A policy has no way to write an IPv6 address.
        ("http" | "https", Some(url::Host::Ipv6(_))) => format!("{}:", url.scheme()),
        ("http" | "https", _) => url.origin().ascii_serialization(),
        (scheme, _) => format!("{scheme}:"),
    }
}
