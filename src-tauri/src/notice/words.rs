//! What a notification says, and which buttons it has.

use usher_api::ServerId;

use super::expiries::Named;
use crate::action::Action;
use crate::need::Need;

/// Services beyond these have no button: GNOME shows three in all, and the last one is "later".
const MOST_BUTTONS: usize = 2;
/// Names beyond these are counted.
const MOST_NAMES: usize = 4;

/// A notification before it is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    pub title: String,
    pub body: String,
    /// A click on the notification itself.
    pub click: Option<Action>,
    pub buttons: Vec<(String, Answer)>,
    /// The services that it is about.
    pub about: Vec<ServerId>,
    /// Whether it stays until it is answered, where the desktop does that.
    pub stays: bool,
}

/// What a button says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    Do(Action),
    Later,
}

/// Of services that need the person; there is at least one. Where no click is heard, the words promise none.
pub fn of_expiries(named: &[Named], clicks: bool) -> Notice {
    let about = named.iter().map(|named| named.id.clone()).collect();
    let elsewhere = if clicks { "" } else { " Usher's window leads there." };
    let (title, body, click) = match named {
        [only] => {
            let (title, body) = of_one(only, clicks);
            (title, body, Some(Action::SignIn(only.id.clone())))
        }
        several => (
            format!("{} services need you", several.len()),
            format!("{} wait for you.", listed(several)),
            // The others are in sight there, too.
            several.first().map(|first| Action::OpenServer(first.id.clone())),
        ),
    };
    let is_alone = named.len() == 1;
    let mut buttons: Vec<_> = named.iter().take(MOST_BUTTONS).map(|named| button(named, is_alone)).collect();
    buttons.push(("Remind me in an hour".to_owned(), Answer::Later));
    Notice { title, body: body + elsewhere, click, buttons, about, stays: true }
}

fn of_one(only: &Named, clicks: bool) -> (String, String) {
    let name = &only.name;
    let (title, why, leads) = match only.need {
        Need::SignIn => (
            format!("{name} needs you to sign in again"),
            "Its sign-in has ended.",
            " A click opens its page in the browser.",
        ),
        Need::MorePermission => (
            format!("{name} wants more permission"),
            "Its page in the browser says what it asks for.",
            " A click opens it.",
        ),
    };
    (title, format!("{why}{}", if clicks { leads } else { "" }))
}

/// Straight to the browser; among several it says of which service.
fn button(named: &Named, is_alone: bool) -> (String, Answer) {
    let name = &named.name;
    let label = match (named.need, is_alone) {
        (Need::SignIn, true) => "Sign in".to_owned(),
        (Need::SignIn, false) => format!("Sign in to {name}"),
        (Need::MorePermission, true) => "Grant access".to_owned(),
        (Need::MorePermission, false) => format!("{name}: grant access"),
    };
    (label, Answer::Do(Action::SignIn(named.id.clone())))
}

/// The first time that the window is closed and the app stays.
pub fn stays_in_tray() -> Notice {
    Notice {
        title: "Usher stays in the tray".to_owned(),
        body: "It keeps your services signed in. To end it, choose Quit Usher in its menu there.".to_owned(),
        click: Some(Action::Open),
        buttons: Vec::new(),
        about: Vec::new(),
        stays: false,
    }
}

/// "Linear, Notion and 3 more".
fn listed(named: &[Named]) -> String {
    let mut names: Vec<String> = named.iter().map(|named| named.name.clone()).collect();
    if names.len() > MOST_NAMES {
        let rest = names.len() - (MOST_NAMES - 1);
        names.truncate(MOST_NAMES - 1);
        names.push(format!("{rest} more"));
    }
    match names.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, others)) => format!("{} and {last}", others.join(", ")),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(name: &str, need: Need) -> Named {
        Named { id: ServerId(name.to_lowercase()), name: name.to_owned(), need }
    }

    fn text(notice: &Notice) -> String {
        let buttons: Vec<_> =
            notice.buttons.iter().map(|(label, answer)| format!("[{label}] {answer:?}")).collect();
        format!("{}\n{}\n{:?}\n{}", notice.title, notice.body, notice.click, buttons.join("\n"))
    }

    #[test]
    fn one_service_is_one_click_away() {
        insta::assert_snapshot!(text(&of_expiries(&[named("Notion", Need::SignIn)], true)), @r#"
        Notion needs you to sign in again
        Its sign-in has ended. A click opens its page in the browser.
        Some(SignIn(ServerId("notion")))
        [Sign in] Do(SignIn(ServerId("notion")))
        [Remind me in an hour] Later
        "#);
        insta::assert_snapshot!(text(&of_expiries(&[named("Notion", Need::MorePermission)], true)), @r#"
        Notion wants more permission
        Its page in the browser says what it asks for. A click opens it.
        Some(SignIn(ServerId("notion")))
        [Grant access] Do(SignIn(ServerId("notion")))
        [Remind me in an hour] Later
        "#);
    }

    #[test]
    fn several_are_told_together() {
        let two = [named("Linear", Need::SignIn), named("Notion", Need::MorePermission)];
        insta::assert_snapshot!(text(&of_expiries(&two, true)), @r#"
        2 services need you
        Linear and Notion wait for you.
        Some(OpenServer(ServerId("linear")))
        [Sign in to Linear] Do(SignIn(ServerId("linear")))
        [Notion: grant access] Do(SignIn(ServerId("notion")))
        [Remind me in an hour] Later
        "#);
        let many: Vec<_> = ["Asana", "Box", "Canva", "Linear", "Notion", "Sentry"]
            .map(|name| named(name, Need::SignIn))
            .into();
        insta::assert_snapshot!(text(&of_expiries(&many, true)), @r#"
        6 services need you
        Asana, Box, Canva and 3 more wait for you.
        Some(OpenServer(ServerId("asana")))
        [Sign in to Asana] Do(SignIn(ServerId("asana")))
        [Sign in to Box] Do(SignIn(ServerId("box")))
        [Remind me in an hour] Later
        "#);
    }

    #[test]
    fn where_clicks_are_not_heard_none_is_promised() {
        let body = |needs: &[Need]| {
            let named: Vec<_> = needs.iter().map(|need| named("Notion", *need)).collect();
            of_expiries(&named, false).body
        };
        let elsewhere = "Usher's window leads there.";
        assert_eq!(body(&[Need::SignIn]), format!("Its sign-in has ended. {elsewhere}"));
        let permission = format!("Its page in the browser says what it asks for. {elsewhere}");
        assert_eq!(body(&[Need::MorePermission]), permission);
        assert_eq!(body(&[Need::SignIn; 2]), format!("Notion and Notion wait for you. {elsewhere}"));
    }

    #[test]
    fn closing_says_where_the_app_went() {
        insta::assert_snapshot!(text(&stays_in_tray()), @"
        Usher stays in the tray
        It keeps your services signed in. To end it, choose Quit Usher in its menu there.
        Some(Open)
        ");
    }
}
