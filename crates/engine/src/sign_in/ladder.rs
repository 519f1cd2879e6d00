//! The ladder of redirects: where a sign-in begins, and which rung comes next.

use usher_config::Redirect;
use usher_oauth::RedirectUri;

use crate::RedirectKind;

/// Where to begin, and whether to stay there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rung {
    pub kind: RedirectKind,
    /// A person chose it: a refusal is told instead of trying the next.
    pub pinned: bool,
}

/// The person's choice now, else the file's, else what worked the last time, else the top.
pub(crate) fn first(
    asked: Option<RedirectKind>,
    configured: Redirect,
    remembered: Option<RedirectKind>,
    receives_links: bool,
) -> Rung {
    let pinned = asked.or(match configured {
        Redirect::Auto => None,
        Redirect::Link => Some(RedirectKind::Link),
        Redirect::LinkWithHost => Some(RedirectKind::LinkWithHost),
        Redirect::Loopback => Some(RedirectKind::Loopback),
        Redirect::Paste => Some(RedirectKind::Paste),
    });
    if let Some(kind) = pinned {
        return Rung { kind, pinned: true };
    }
    let top = if receives_links { RedirectKind::Link } else { RedirectKind::Loopback };
    let kind = match remembered {
        Some(RedirectKind::Link | RedirectKind::LinkWithHost) if !receives_links => top,
        Some(kind) => kind,
        None => top,
    };
    Rung { kind, pinned: false }
}

/// What a person is offered when the page shows an error.
pub(crate) fn next(kind: RedirectKind) -> Option<RedirectKind> {
    match kind {
        RedirectKind::Link => Some(RedirectKind::LinkWithHost),
        RedirectKind::LinkWithHost => Some(RedirectKind::Loopback),
        RedirectKind::Loopback => Some(RedirectKind::Paste),
        RedirectKind::Paste => None,
    }
}

/// What is tried without asking, when the server says that the redirect is what it refuses.
pub(crate) fn next_by_itself(rung: Rung) -> Option<Rung> {
    match next(rung.kind) {
        Some(kind) if !rung.pinned && kind != RedirectKind::Paste => Some(Rung { kind, pinned: false }),
        Some(_) | None => None,
    }
}

/// Whether a redirect URI belongs to a rung.
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
    fn a_choice_wins_over_memory_and_memory_over_the_top() {
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
        for (asked, configured, remembered, receives, kind, pinned) in cases {
            assert_eq!(
                first(asked, configured, remembered, receives),
                Rung { kind, pinned },
                "{asked:?} {configured} {remembered:?} {receives}"
            );
        }
    }

    #[test]
    fn the_ladder_goes_down_to_loopback_by_itself_and_to_paste_by_a_person() {
        let mut rung = Rung { kind: RedirectKind::Link, pinned: false };
        let mut tried = vec![rung.kind];
        while let Some(next) = next_by_itself(rung) {
            rung = next;
            tried.push(rung.kind);
        }
        assert_eq!(tried, [RedirectKind::Link, RedirectKind::LinkWithHost, RedirectKind::Loopback]);
        assert_eq!(next(RedirectKind::Loopback), Some(RedirectKind::Paste));
        assert_eq!(next_by_itself(Rung { kind: RedirectKind::Link, pinned: true }), None);
    }
}
