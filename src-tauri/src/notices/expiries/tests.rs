use usher_api::{Code, ErrorView, ServerView, SignInStep, Want};

use super::*;
use crate::sample_views::{
    WithWants, connected, error, needing_permission, needs, server, signing_in, snapshot,
};

/// A sequence of changes at given seconds.
struct Run {
    expiries: Expiries,
    started_at: Instant,
}

impl Run {
    fn new() -> Self {
        Self { expiries: Expiries::default(), started_at: Instant::now() }
    }

    /// Starts a sequence in which Notion's expired sign-in was shown after two seconds.
    fn with_notion_shown() -> Self {
        let mut run = Self::new();
        run.apply(0, [expired("Notion")]);
        assert_eq!(run.shown(2), ["Notion"]);
        run
    }

    fn at(&self, seconds: u64) -> Instant {
        self.started_at + Duration::from_secs(seconds)
    }

    fn apply(&mut self, seconds: u64, servers: impl IntoIterator<Item = ServerView>) {
        let now = self.at(seconds);
        self.expiries.apply_snapshot(&snapshot(servers), now);
    }

    /// The names shown at this second.
    fn shown(&mut self, seconds: u64) -> Vec<String> {
        let now = self.at(seconds);
        self.expiries.take_due(now).into_iter().map(|service| service.name).collect()
    }
}

fn expired(name: &str) -> ServerView {
    server(name, needs(NeedsSignIn::Expired))
}

const NONE: [String; 0] = [];

#[test]
fn the_error_of_one_call_is_not_shown() {
    let mut run = Run::new();
    let last_error = Some(ErrorView { code: Code::SignInRequired, ..error() });
    let refused = ServerView { last_error, ..server("Notion", connected()) }.with_wants();
    run.apply(0, [refused.clone()]);
    run.apply(5, [server("Notion", connected())]);
    run.apply(10, [refused]);
    assert_eq!(run.shown(100), NONE);
}

#[test]
fn an_expiry_is_shown_once() {
    let mut run = Run::new();
    run.apply(0, [server("Notion", connected())]);
    assert_eq!(run.expiries.due_at(), None);
    run.apply(10, [expired("Notion")]);
    assert_eq!(run.shown(10), NONE);
    assert_eq!(run.expiries.due_at(), Some(run.at(12)));
    run.apply(11, [expired("Notion")]);
    assert_eq!(run.shown(12), ["Notion"]);
    run.apply(13, [expired("Notion")]);
    assert_eq!(run.expiries.due_at(), None);
    assert_eq!(run.shown(10_000), NONE);
}

#[test]
fn a_later_expiry_of_the_same_service_is_shown_again() {
    let mut run = Run::with_notion_shown();
    run.apply(5, [server("Notion", connected())]);
    run.apply(9, [expired("Notion")]);
    assert_eq!(run.shown(11), ["Notion"]);
}

#[test]
fn a_failed_sign_in_belongs_to_the_same_expiry() {
    let mut run = Run::with_notion_shown();
    let notion = [ServerId("notion".to_owned())];
    assert!(run.expiries.any_open(&notion));
    run.apply(3, [server("Notion", signing_in(SignInStep::WaitingForBrowser))]);
    assert!(!run.expiries.any_open(&notion));
    run.apply(4, [server("Notion", needs(NeedsSignIn::Denied))]);
    run.apply(5, [expired("Notion")]);
    assert!(run.expiries.any_open(&notion));
    assert_eq!(run.shown(10_000), NONE);
}

#[test]
fn an_expiry_that_ends_before_it_is_due_is_not_shown() {
    let mut run = Run::new();
    run.apply(0, [expired("Notion")]);
    run.apply(1, [server("Notion", signing_in(SignInStep::Exchanging))]);
    assert_eq!(run.expiries.due_at(), None);
    run.apply(1, [server("Notion", connected())]);
    assert_eq!(run.shown(10), NONE);
}

#[test]
fn simultaneous_expiries_are_shown_together() {
    let mut run = Run::new();
    run.apply(0, [expired("Linear"), server("Notion", connected()), server("Sentry", connected())]);
    run.apply(1, [expired("Linear"), expired("Notion"), server("Sentry", connected())]);
    assert_eq!(run.shown(2), ["Linear", "Notion"]);
    run.apply(60, [expired("Linear"), expired("Notion"), expired("Sentry")]);
    assert_eq!(run.shown(62), ["Sentry"]);
}

#[test]
fn a_snoozed_expiry_is_shown_again_if_it_is_not_over() {
    let mut run = Run::new();
    run.apply(0, [expired("Linear"), expired("Notion")]);
    assert_eq!(run.shown(2), ["Linear", "Notion"]);
    let both = ["linear", "notion"].map(|id| ServerId(id.to_owned()));
    let now = run.at(10);
    run.expiries.schedule(&both, now + SNOOZE);
    run.apply(20, [expired("Linear"), server("Notion", connected())]);
    assert_eq!(run.shown(20), NONE);
    let later = 10 + SNOOZE.as_secs();
    assert_eq!(run.expiries.due_at(), Some(run.at(later)));
    assert_eq!(run.shown(later), ["Linear"]);
    assert_eq!(run.shown(later + 10_000), NONE);
}

#[test]
fn a_focused_window_suppresses_notifications() {
    let mut run = Run::new();
    run.expiries.set_window_focused(true);
    run.apply(0, [expired("Linear")]);
    assert_eq!(run.shown(2), NONE);
    run.expiries.set_window_focused(false);
    assert_eq!(run.shown(10), NONE);
    run.apply(20, [expired("Linear"), expired("Notion")]);
    assert_eq!(run.shown(22), ["Notion"]);
}

#[test]
fn a_missing_permission_has_its_own_action() {
    let mut run = Run::new();
    run.apply(0, [needing_permission("Notion")]);
    let now = run.at(2);
    let notion = ExpiredService {
        id: ServerId("notion".to_owned()),
        name: "Notion".to_owned(),
        action: Want::Permission,
    };
    assert_eq!(run.expiries.take_due(now), [notion]);
    run.apply(3, [expired("Notion")]);
    assert_eq!(run.shown(5), ["Notion"]);
}

#[test]
fn a_secret_that_is_not_allowed_has_its_own_action() {
    let mut run = Run::new();
    let failed = |code| Status::Failed { error: ErrorView { code, ..error() } };
    run.apply(
        0,
        [server("Linear", failed(Code::ProtocolError)), server("Notion", failed(Code::SecretNotAllowed))],
    );
    let now = run.at(2);
    let due: Vec<_> =
        run.expiries.take_due(now).into_iter().map(|service| (service.name, service.action)).collect();
    assert_eq!(due, [("Notion".to_owned(), Want::AllowSecret)]);
}

#[test]
fn first_sign_ins_and_sign_outs_are_not_expiries() {
    for reason in [NeedsSignIn::NeverSignedIn, NeedsSignIn::SignedOut, NeedsSignIn::Denied] {
        let mut run = Run::new();
        run.apply(0, [server("Notion", needs(reason))]);
        assert_eq!(run.expiries.due_at(), None, "{reason:?}");
    }
    let mut run = Run::new();
    run.apply(0, [expired("Notion")]);
    run.apply(1, [server("Notion", needs(NeedsSignIn::SignedOut))]);
    assert_eq!(run.shown(10), NONE);
}

#[test]
fn a_removed_service_is_not_shown() {
    let mut run = Run::new();
    run.apply(0, [expired("Notion")]);
    run.apply(1, []);
    assert_eq!(run.shown(10), NONE);
}
