//! Callbacks, most of them hostile.

use serde_json::json;
use usher_oauth::{
    AuthorizationResponse, Error, ErrorKind, PendingAuthorization, RedirectUri, Rejected, Step,
};

use crate::support::*;

fn why(result: Result<AuthorizationResponse, Error>) -> Option<&'static str> {
    match result {
        Ok(_) => None,
        Err(Error { step: Step::Callback, host: None, kind: ErrorKind::BadCallback { why }, .. }) => {
            Some(why)
        }
        Err(error) => panic!("{error:?}"),
    }
}

#[test]
fn hostile_callbacks_are_rejected_by_the_parser() {
    let elsewhere = Some("it is not one of Usher's redirect URIs");
    let character = Some("it contains a character that is not allowed in a URL");
    let control = Some("it contains a control character");
    let (twice, none) = (Some("it repeats a parameter"), Some("it contains neither a code nor an error"));
    let state = Some("it has no “state” parameter");
    let table = [
        // Valid.
        ("LINK?code=c&state=s", None),
        ("HOST?code=c&state=s", None),
        ("LINK?state=s&code=c&iss=https%3A%2F%2Fas.example&session_state=x&unknown=", None),
        ("LINK?state=s&error=access_denied&error_description=no%0Areally", None),
        ("LINK?code=c+d%20e&state=s", None),
        // Other addresses.
        ("", elsewhere),
        ("dev.usher.desktop:/oauth/callbackx?code=c&state=s", elsewhere),
        ("dev.usher.desktop:/oauth/callback/?code=c&state=s", elsewhere),
        ("dev.usher.desktop:/oauth/../oauth/callback?code=c&state=s", elsewhere),
        ("dev.usher.desktop:///oauth/callback?code=c&state=s", elsewhere),
        ("dev.usher.desktop:oauth/callback?code=c&state=s", elsewhere),
        ("DEV.USHER.DESKTOP:/oauth/callback?code=c&state=s", elsewhere),
        ("dev.usher.desktop://OAUTH/callback?code=c&state=s", elsewhere),
        ("dev.usher.desktop://oauth:80/callback?code=c&state=s", elsewhere),
        ("dev.usher.desktop://user@oauth/callback?code=c&state=s", elsewhere),
        ("dev.usher.desktop:/oauth/callback%3Fcode=c&state=s", elsewhere),
        ("dev.usher.desktop:/install?command=calc", elsewhere),
        ("dev.usher.desktop://server/add?url=https://evil.example", elsewhere),
        ("http://127.0.0.1:1/oauth/callback?code=c&state=s", elsewhere),
        ("https://evil.example/?code=c&state=s", elsewhere),
        ("javascript:alert(1)?code=c&state=s", elsewhere),
        ("cursor://anysphere.cursor-deeplink/mcp/install?name=x", elsewhere),
        ("--flag?code=c&state=s", elsewhere),
        // Invalid characters, and fragments.
        (" LINK?code=c&state=s", character),
        ("LINK?code=c&state=s\n", character),
        ("LINK?code=c&state=s --flag", character),
        ("LINK?code=\u{0}&state=s", character),
        ("LINK?code=c&state=\u{202e}s", character),
        ("LINK?code=c%00&state=s", control),
        ("LINK?code=c&state=s%0d%0aX: y".split(' ').next().unwrap(), control),
        ("LINK?code=c&state=s&iss=https://as%1b.example", control),
        ("LINK?code=c&state=s&error%00=x", control),
        ("LINK?code=c%ff&state=s", Some("it is not UTF-8")),
        ("LINK?code=c&state=s#", None),
        ("LINK#code=c&state=s", state),
        ("LINK?state=s#access_token=t", none),
        // Parameters.
        ("LINK", state),
        ("LINK?", state),
        ("LINK?code=c", state),
        ("LINK?code=c&state=", state),
        ("LINK?error=access_denied", state),
        ("LINK?code=c&State=s", state),
        ("LINK?state=s", none),
        ("LINK?state=s&code=", none),
        ("LINK?state=s&error=", none),
        ("LINK?state=s&response=jwt", none),
        ("LINK?state=s&access_token=t", none),
        ("LINK?state=s&code=c&error=e", Some("it contains both a code and an error")),
        ("LINK?state=s&code=c&error=", Some("it contains both a code and an error")),
        ("LINK?state=s&state=t&code=c", twice),
        ("LINK?state=s&code=c&code=d", twice),
        ("LINK?state=s&c%6fde=c&code=c", twice),
        ("LINK?state=s&code=c&iss=a&iss=b", twice),
        ("LINK?state=s&error=e&error_description=a&error_description=b", twice),
        ("LINK?state=s&code=c&x=1&x=1", twice),
        ("LINK?state=s&code=c?state=s", None),
    ];
    for (raw, expected) in table {
        let raw = raw
            .replace("LINK", RedirectUri::CUSTOM_SCHEME)
            .replace("HOST", RedirectUri::CUSTOM_SCHEME_WITH_HOST);
        assert_eq!(why(parsed(&raw)), expected, "{raw:?}");
    }
    let long = |length: usize| {
        let start = format!("{}?state=s&code=", RedirectUri::CUSTOM_SCHEME);
        format!("{start}{}", "c".repeat(length - start.len()))
    };
    assert_eq!(why(parsed(&long(4096))), None);
    assert_eq!(why(parsed(&long(4097))), Some("it is longer than 4 kB"));
}

#[test]
fn only_the_expected_redirects_are_accepted() {
    let raw = "http://127.0.0.1:4711/oauth/callback?state=s&code=c";
    let (here, other) = (RedirectUri::loopback(4711), RedirectUri::loopback(4712));
    let response = AuthorizationResponse::parse(raw, [&other, &here]).unwrap();
    assert_eq!((response.redirect_uri(), response.state()), (&here, "s"));
    assert!(AuthorizationResponse::parse(raw, [&other]).is_err());
    assert!(AuthorizationResponse::parse(raw, []).is_err());
}

fn rejected(pending: PendingAuthorization, raw: &str) -> Rejected {
    pending.accept(parsed(raw).unwrap(), now()).unwrap_err()
}

#[tokio::test]
async fn a_callback_of_another_sign_in_leaves_the_request_pending() {
    let fake = Fake::start_with_metadata().await;
    let mut pending = pending(&fake).await;
    let state = pending.state().to_owned();
    let others = [
        format!("{}?state=forged&code=c", RedirectUri::CUSTOM_SCHEME),
        format!("{}?state=forged&error=access_denied", RedirectUri::CUSTOM_SCHEME),
        format!("{}?state={}x&code=c", RedirectUri::CUSTOM_SCHEME, state),
        format!("{}?state={}&code=c", RedirectUri::CUSTOM_SCHEME, &state[1..]),
        format!("{}?state={}&code=c", RedirectUri::CUSTOM_SCHEME, state.to_uppercase()),
        // The right state at another of our redirects.
        format!("{}?state={state}&code=c", RedirectUri::CUSTOM_SCHEME_WITH_HOST),
    ];
    for raw in others {
        let rejected = rejected(pending, &raw);
        assert_eq!(rejected.error.kind, ErrorKind::StateMismatch, "{raw}");
        pending = *rejected.pending.unwrap();
    }
    let raw = callback(&pending, "code=c");
    pending.accept(parsed(&raw).unwrap(), now()).unwrap();
    assert!(fake.requests_to("POST /token").is_empty());
}

#[tokio::test]
async fn iss_is_compared_as_a_plain_string() {
    // (advertised, iss, accepted). ISSUER is replaced by the expected issuer.
    let table = [
        (true, Some("ISSUER"), true),
        (true, None, false),
        (true, Some("https://evil.example"), false),
        (true, Some("ISSUER/"), false),
        (true, Some("ISSUERx"), false),
        (true, Some(""), false),
        (false, Some("ISSUER"), true),
        (false, None, true),
        (false, Some("https://evil.example"), false),
        (false, Some("ISSUER/"), false),
        (false, Some("HTTP://127.0.0.1"), false),
        (false, Some(""), false),
    ];
    for (advertised, iss, accepted) in table {
        for outcome in ["code=c", "error=server_error&error_description=Call+555-1234"] {
            let changes = json!({ "authorization_response_iss_parameter_supported": advertised });
            let fake = Fake::start_with_changed_metadata(changes).await;
            let pending = pending(&fake).await;
            let received = iss.map(|iss| iss.replace("ISSUER", &fake.origin));
            let parameter = received.as_ref().map(|iss| format!("&iss={iss}")).unwrap_or_default();
            let raw = callback(&pending, &format!("{outcome}{parameter}"));
            let result = pending.accept(parsed(&raw).unwrap(), now()).map_err(|rejected| {
                assert!(rejected.pending.is_none(), "the sign-in has ended");
                rejected.error
            });
            let case = format!("{advertised} {iss:?} {outcome}");
            match (accepted, outcome) {
                (true, "code=c") => assert!(result.is_ok(), "{case}"),
                (true, _) => {
                    let kind = result.unwrap_err().kind;
                    assert!(matches!(kind, ErrorKind::AuthorizationError { .. }), "{case}")
                }
                (false, _) => {
                    let (error, expected) = (result.unwrap_err(), fake.origin.clone());
                    let expected = ErrorKind::CallbackIssuerMismatch { expected, received };
                    assert!(!error.to_string().contains("555-1234"), "the description is not shown");
                    assert_eq!(error.kind, expected, "{case}");
                }
            }
        }
    }
}

#[tokio::test]
async fn error_responses_are_mapped() {
    let some = |text: &str| Some(text.to_owned());
    let client = |description| ErrorKind::InvalidClient { description };
    let resource = |description| ErrorKind::ResourceRejected { description };
    let target = |description| ErrorKind::InvalidTarget { description };
    let other = |code: &str, description| ErrorKind::AuthorizationError { code: code.into(), description };
    let table = [
        ("error=access_denied&error_description=The+user+said+no", ErrorKind::Denied),
        ("error=invalid_client", client(None)),
        ("error=unauthorized_client&error_description=unknown", client(some("unknown"))),
        ("error=invalid_target", target(None)),
        (
            "error=invalid_request&error_description=unknown+parameter+resource",
            resource(some("unknown parameter resource")),
        ),
        ("error=invalid_request&error_description=bad+scope", other("invalid_request", some("bad scope"))),
        ("error=invalid_scope", other("invalid_scope", None)),
        (
            "error=server_error&error_description=%1b%5B31mred%e2%80%ae%0a%0atext",
            other("server_error", some("[31mred text")),
        ),
    ];
    for (outcome, expected) in table {
        let fake = Fake::start_with_metadata().await;
        let pending = pending(&fake).await;
        let raw = callback(&pending, outcome);
        let Rejected { error, pending } = rejected(pending, &raw);
        assert_eq!((error.step, error.host.as_deref()), (Step::Callback, Some(fake.host())));
        assert_eq!(error.kind, expected);
        assert!(pending.is_none());
    }
}

#[tokio::test]
async fn a_request_expires_after_ten_minutes() {
    let fake = Fake::start_with_metadata().await;
    for (seconds, is_accepted) in [(0, true), (599, true), (600, false), (86_400, false)] {
        let pending = pending(&fake).await;
        let raw = callback(&pending, "code=c");
        let result = pending.accept(parsed(&raw).unwrap(), now_plus(seconds));
        assert_eq!(
            result.map_err(|rejected| rejected.error.kind).err(),
            (!is_accepted).then_some(ErrorKind::Expired)
        );
    }
}

#[tokio::test]
async fn a_callback_can_arrive_after_a_restart() {
    let fake = Fake::start_with_metadata().await;
    let before = pending(&fake).await;
    let raw = callback(&before, "code=c");
    let after = PendingAuthorization::from_secret(&before.to_secret()).unwrap();
    assert_eq!(after.authorization_url(), before.authorization_url());
    assert_eq!(
        (after.state(), after.expires_at(), after.scopes()),
        (before.state(), before.expires_at(), before.scopes())
    );
    assert_eq!(after.discovered(), before.discovered());
    after.accept(parsed(&raw).unwrap(), now()).unwrap();
    for broken in ["", "{}", "{\"version\":2}"] {
        assert!(PendingAuthorization::from_secret(&broken.into()).is_none());
    }
}
