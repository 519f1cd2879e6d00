//! What a notification says, and which buttons it has.

use usher_engine::ServerId;

use super::expiries::{Named, Need};
use crate::action::Action;
use crate::tray::content::shortened;

/// Buttons beyond these do not fit on most desktops.
const MOST_BUTTONS: usize = 3;
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

/// Of services that need the person; there is at least one.
pub fn of_expiries(named: &[Named]) -> Notice {
    let about = named.iter().map(|named| named.id.clone()).collect();
    let later = ("In an hour".to_owned(), Answer::Later);
    let [only] = named else {
        let mut buttons: Vec<_> = named
            .iter()
            .take(MOST_BUTTONS)
            .map(|named| (shortened(&named.name), Answer::Do(Action::SignIn(named.id.clone()))))
            .collect();
        buttons.push(later);
        return Notice {
            title: format!("{} services need you", named.len()),
            body: format!("Sign in again to {}.", listed(named)),
            // Each of them is one click away there, and this one is in sight.
            click: named.first().map(|first| Action::OpenServer(first.id.clone())),
            buttons,
            about,
            stays: true,
        };
    };
    let name = shortened(&only.name);
    let (title, body, button) = match only.need {
        Need::SignIn => (
            format!("{name} needs you to sign in again"),
            "Its sign-in has ended. A click opens its page in the browser.".to_owned(),
            "Sign in".to_owned(),
        ),
        Need::MorePermission => (
            format!("{name} wants more permission"),
            "A click opens its page in the browser, where you see what it asks for.".to_owned(),
            "Look at it".to_owned(),
        ),
    };
    let sign_in = Action::SignIn(only.id.clone());
    let buttons = vec![(button, Answer::Do(sign_in.clone())), later];
    Notice { title, body, click: Some(sign_in), buttons, about, stays: true }
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
    let mut names: Vec<String> = named.iter().map(|named| shortened(&named.name)).collect();
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
        insta::assert_snapshot!(text(&of_expiries(&[named("Notion", Need::SignIn)])), @r#"
        Notion needs you to sign in again
        Its sign-in has ended. A click opens its page in the browser.
        Some(SignIn(ServerId("notion")))
        [Sign in] Do(SignIn(ServerId("notion")))
        [In an hour] Later
        "#);
        insta::assert_snapshot!(text(&of_expiries(&[named("Notion", Need::MorePermission)])), @r#"
        Notion wants more permission
        A click opens its page in the browser, where you see what it asks for.
        Some(SignIn(ServerId("notion")))
        [Look at it] Do(SignIn(ServerId("notion")))
        [In an hour] Later
        "#);
    }

    #[test]
    fn several_are_told_together() {
        let two = [named("Linear", Need::SignIn), named("Notion", Need::MorePermission)];
        insta::assert_snapshot!(text(&of_expiries(&two)), @r#"
        2 services need you
        Sign in again to Linear and Notion.
        Some(OpenServer(ServerId("linear")))
        [Linear] Do(SignIn(ServerId("linear")))
        [Notion] Do(SignIn(ServerId("notion")))
        [In an hour] Later
        "#);
        let many: Vec<_> = ["Asana", "Box", "Canva", "Linear", "Notion", "Sentry"]
            .map(|name| named(name, Need::SignIn))
            .into();
        insta::assert_snapshot!(text(&of_expiries(&many)), @r#"
        6 services need you
        Sign in again to Asana, Box, Canva and 3 more.
        Some(OpenServer(ServerId("asana")))
        [Asana] Do(SignIn(ServerId("asana")))
        [Box] Do(SignIn(ServerId("box")))
        [Canva] Do(SignIn(ServerId("canva")))
        [In an hour] Later
        "#);
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
