//! The order of the redirects: the first one of a sign-in, and the next attempt after a failure.
//!
//! If the page in the browser shows an error, the redirect or the `prompt` that Usher added may be the reason. A request
//! without `prompt` may lead to a grant without a refresh token. Therefore, the other redirects come first, and the
//! request without `prompt` comes before pasting. If the redirect has worked at this issuer before, it is not the reason,
//! and the request without `prompt` comes first.

use usher_api::RedirectKind;
use usher_config::Redirect;
use usher_oauth::RedirectUri;

/// A redirect to try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Choice {
    pub kind: RedirectKind,
    /// Whether a person chose the redirect. If so, no other one is tried automatically.
    pub pinned: bool,
}

/// Returns the first redirect to try. The order of precedence: the person's choice, the setting in `mcp.json`, the
/// redirect that worked last, the default.
pub(crate) fn first(
    requested: Option<RedirectKind>,
    configured: Redirect,
    remembered: Option<RedirectKind>,
    receives_links: bool,
) -> Choice {
    let pinned = requested.or(match configured {
        Redirect::Auto => None,
        Redirect::Link => Some(RedirectKind::Link),
        Redirect::LinkWithHost => Some(RedirectKind::LinkWithHost),
        Redirect::Loopback => Some(RedirectKind::Loopback),
        Redirect::Paste => Some(RedirectKind::Paste),
    });
    if let Some(kind) = pinned {
        return Choice { kind, pinned: true };
    }
    let default = if receives_links { RedirectKind::Link } else { RedirectKind::Loopback };
    let kind = match remembered {
        Some(RedirectKind::Link | RedirectKind::LinkWithHost) if !receives_links => default,
        Some(kind) => kind,
        None => default,
    };
    Choice { kind, pinned: false }
}

/// The next request to send when the page in the browser shows an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Attempt {
    pub kind: RedirectKind,
    /// Whether the request leaves out the `prompt` that Usher adds.
    pub omits_prompt: bool,
}

/// Returns the next attempt, if there is one. `adds_prompt` is whether Usher added a `prompt` to the last request.
/// `has_worked` is whether an earlier sign-in with this redirect succeeded.
pub(crate) fn next_attempt(kind: RedirectKind, adds_prompt: bool, has_worked: bool) -> Option<Attempt> {
    let next = next(kind);
    let is_last = matches!(next, None | Some(RedirectKind::Paste));
    if adds_prompt && (has_worked || is_last) {
        return Some(Attempt { kind, omits_prompt: true });
    }
    next.map(|kind| Attempt { kind, omits_prompt: false })
}

/// Returns the redirect after this one.
fn next(kind: RedirectKind) -> Option<RedirectKind> {
    match kind {
        RedirectKind::Link => Some(RedirectKind::LinkWithHost),
        RedirectKind::LinkWithHost => Some(RedirectKind::Loopback),
        RedirectKind::Loopback => Some(RedirectKind::Paste),
        RedirectKind::Paste => None,
    }
}

/// Returns the redirect to try automatically when the authorization server rejects this one.
pub(crate) fn next_automatically(choice: Choice) -> Option<RedirectKind> {
    next(choice.kind).filter(|kind| !choice.pinned && *kind != RedirectKind::Paste)
}

/// Returns the redirect to try when the authorization server fails with an outage. Some servers fail in this way at a
/// scheme that they do not know. With any other redirect, it is an outage.
pub(crate) fn after_outage(choice: Choice) -> Option<RedirectKind> {
    let has_scheme = matches!(choice.kind, RedirectKind::Link | RedirectKind::LinkWithHost);
    (has_scheme && !choice.pinned).then_some(RedirectKind::Loopback)
}

/// Returns whether a redirect URI is of this kind.
pub(crate) fn fits(kind: RedirectKind, redirect: &RedirectUri) -> bool {
    match kind {
        RedirectKind::Link => *redirect == RedirectUri::custom_scheme(),
        RedirectKind::LinkWithHost => *redirect == RedirectUri::custom_scheme_with_host(),
        RedirectKind::Loopback | RedirectKind::Paste => redirect.is_loopback(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_choice_precedes_the_redirect_that_worked_last_which_precedes_the_default() {
        use RedirectKind::{Link, LinkWithHost, Loopback, Paste};
        let cases = [
            (None, Redirect::Auto, None, true, Link, false),
            (None, Redirect::Auto, None, false, Loopback, false),
            (None, Redirect::Auto, Some(LinkWithHost), true, LinkWithHost, false),
            (None, Redirect::Auto, Some(LinkWithHost), false, Loopback, false),
            (None, Redirect::Auto, Some(Paste), true, Paste, false),
            (None, Redirect::Link, Some(Paste), true, Link, true),
            (Some(Paste), Redirect::Link, None, true, Paste, true),
        ];
        for (requested, configured, remembered, receives, kind, pinned) in cases {
            assert_eq!(
                first(requested, configured, remembered, receives),
                Choice { kind, pinned },
                "{requested:?} {configured} {remembered:?} {receives}"
            );
        }
    }

    #[test]
    fn the_prompt_is_dropped_before_pasting_or_if_the_redirect_has_worked() {
        use RedirectKind::{Link, LinkWithHost, Loopback, Paste};
        let attempt = |kind, omits_prompt| Some(Attempt { kind, omits_prompt });
        let cases = [
            (Link, true, false, attempt(LinkWithHost, false)),
            (LinkWithHost, true, false, attempt(Loopback, false)),
            (Loopback, true, false, attempt(Loopback, true)),
            (Paste, true, false, attempt(Paste, true)),
            (Link, true, true, attempt(Link, true)),
            (Link, false, true, attempt(LinkWithHost, false)),
            (Loopback, false, true, attempt(Paste, false)),
            (Paste, false, false, None),
        ];
        for (kind, adds_prompt, has_worked, expected) in cases {
            assert_eq!(next_attempt(kind, adds_prompt, has_worked), expected, "{kind:?}");
        }
    }

    #[test]
    fn loopback_is_tried_automatically_but_paste_only_by_a_person() {
        let mut choice = Choice { kind: RedirectKind::Link, pinned: false };
        let mut tried = vec![choice.kind];
        while let Some(next) = next_automatically(choice) {
            choice.kind = next;
            tried.push(next);
        }
        assert_eq!(tried, [RedirectKind::Link, RedirectKind::LinkWithHost, RedirectKind::Loopback]);
        assert_eq!(next(RedirectKind::Loopback), Some(RedirectKind::Paste));
        assert_eq!(next_automatically(Choice { kind: RedirectKind::Link, pinned: true }), None);
    }
}
