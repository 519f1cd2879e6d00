use usher_api::{Code, ErrorView, ServerView, SignInStep};

use super::*;
use crate::samples::{connected, error, needs, server, signing_in, snapshot, wanting_more};

/// A run of changes and moments, from one instant on.
struct Run {
    expiries: Expiries,
    began: Instant,
}

impl Run {
    fn new() -> Self {
        Self { expiries: Expiries::default(), began: Instant::now() }
    }

    /// Notion's sign-in has expired, and that was told after two seconds.
    fn told_of_notion() -> Self {
        let mut run = Self::new();
        run.note(0, [expired("Notion")]);
        assert_eq!(run.told(2), ["Notion"]);
        run
    }

    fn at(&self, seconds: u64) -> Instant {
        self.began + Duration::from_secs(seconds)
    }

    fn note(&mut self, seconds: u64, servers: impl IntoIterator<Item = ServerView>) {
        let now = self.at(seconds);
        self.expiries.note(&snapshot(servers), now);
    }

    /// The names told of at this moment.
    fn told(&mut self, seconds: u64) -> Vec<String> {
        let now = self.at(seconds);
        self.expiries.due(now).into_iter().map(|named| named.name).collect()
    }
}

fn expired(name: &str) -> ServerView {
    server(name, needs(NeedsSignIn::Expired))
}

const NOBODY: [String; 0] = [];

#[test]
fn what_one_call_was_refused_is_not_told() {
    let mut run = Run::new();
    let last_error = Some(ErrorView { code: Code::SignInRequired, ..error() });
    let refused = ServerView { last_error, ..server("Notion", connected()) };
    run.note(0, [refused.clone()]);
    run.note(5, [server("Notion", connected())]);
    run.note(10, [refused]);
    assert_eq!(run.told(100), NOBODY);
}

#[test]
fn an_expiry_is_told_once() {
    let mut run = Run::new();
    run.note(0, [server("Notion", connected())]);
    assert_eq!(run.expiries.next(), None);
    run.note(10, [expired("Notion")]);
    assert_eq!(run.told(10), NOBODY);
    assert_eq!(run.expiries.next(), Some(run.at(12)));
    run.note(11, [expired("Notion")]);
    assert_eq!(run.told(12), ["Notion"]);
    run.note(13, [expired("Notion")]);
    assert_eq!(run.expiries.next(), None);
    assert_eq!(run.told(10_000), NOBODY);
}

#[test]
fn a_later_expiry_of_the_same_service_is_another_one() {
    let mut run = Run::told_of_notion();
    run.note(5, [server("Notion", connected())]);
    run.note(9, [expired("Notion")]);
    assert_eq!(run.told(11), ["Notion"]);
}

#[test]
fn a_sign_in_that_came_to_nothing_is_still_the_same_expiry() {
    let mut run = Run::told_of_notion();
    let notion = [ServerId("notion".to_owned())];
    assert!(run.expiries.any_open(&notion));
    run.note(3, [server("Notion", signing_in(SignInStep::WaitingForBrowser))]);
    assert!(!run.expiries.any_open(&notion));
    run.note(4, [server("Notion", needs(NeedsSignIn::Refused))]);
    run.note(5, [expired("Notion")]);
    assert!(run.expiries.any_open(&notion));
    assert_eq!(run.told(10_000), NOBODY);
}

#[test]
fn one_that_is_settled_before_its_moment_is_not_told() {
    let mut run = Run::new();
    run.note(0, [expired("Notion")]);
    run.note(1, [server("Notion", signing_in(SignInStep::Exchanging))]);
    assert_eq!(run.expiries.next(), None);
    run.note(1, [server("Notion", connected())]);
    assert_eq!(run.told(10), NOBODY);
}

#[test]
fn those_that_come_together_are_told_together() {
    let mut run = Run::new();
    run.note(0, [expired("Linear"), server("Notion", connected()), server("Sentry", connected())]);
    run.note(1, [expired("Linear"), expired("Notion"), server("Sentry", connected())]);
    assert_eq!(run.told(2), ["Linear", "Notion"]);
    run.note(60, [expired("Linear"), expired("Notion"), expired("Sentry")]);
    assert_eq!(run.told(62), ["Sentry"]);
}

#[test]
fn a_snooze_brings_it_back_if_it_still_goes_on() {
    let mut run = Run::new();
    run.note(0, [expired("Linear"), expired("Notion")]);
    assert_eq!(run.told(2), ["Linear", "Notion"]);
    let both = ["linear", "notion"].map(|id| ServerId(id.to_owned()));
    let now = run.at(10);
    run.expiries.tell_again(&both, now + SNOOZE);
    run.note(20, [expired("Linear"), server("Notion", connected())]);
    assert_eq!(run.told(20), NOBODY);
    let later = 10 + SNOOZE.as_secs();
    assert_eq!(run.expiries.next(), Some(run.at(later)));
    assert_eq!(run.told(later), ["Linear"]);
    assert_eq!(run.told(later + 10_000), NOBODY);
}

#[test]
fn what_the_window_shows_in_front_is_not_told() {
    let mut run = Run::new();
    run.expiries.window_in_front(true);
    run.note(0, [expired("Linear")]);
    assert_eq!(run.told(2), NOBODY);
    run.expiries.window_in_front(false);
    assert_eq!(run.told(10), NOBODY);
    run.note(20, [expired("Linear"), expired("Notion")]);
    assert_eq!(run.told(22), ["Notion"]);
}

#[test]
fn more_permission_is_a_need_of_its_own() {
    let mut run = Run::new();
    run.note(0, [wanting_more("Notion")]);
    let now = run.at(2);
    let notion =
        Named { id: ServerId("notion".to_owned()), name: "Notion".to_owned(), need: Need::MorePermission };
    assert_eq!(run.expiries.due(now), [notion]);
    run.note(3, [expired("Notion")]);
    assert_eq!(run.told(5), ["Notion"]);
}

#[test]
fn first_sign_ins_and_sign_outs_are_no_expiries() {
    for reason in [NeedsSignIn::NeverSignedIn, NeedsSignIn::SignedOut, NeedsSignIn::Refused] {
        let mut run = Run::new();
        run.note(0, [server("Notion", needs(reason))]);
        assert_eq!(run.expiries.next(), None, "{reason:?}");
    }
    let mut run = Run::new();
    run.note(0, [expired("Notion")]);
    run.note(1, [server("Notion", needs(NeedsSignIn::SignedOut))]);
    assert_eq!(run.told(10), NOBODY);
}

#[test]
fn who_is_removed_is_forgotten() {
    let mut run = Run::new();
    run.note(0, [expired("Notion")]);
    run.note(1, []);
    assert_eq!(run.told(10), NOBODY);
}
