//! The texts and buttons of notices.

use usher_api::{ElicitationView, ServerId, Want};

use super::expiries::ExpiredService;
use crate::action::Action;
use crate::question_text;

/// The maximum number of services with a button. GNOME shows three buttons, and the last one is the snooze.
const MAX_BUTTONS: usize = 2;
/// The number of entries in a list of names. If there are more names, the last entry counts the rest.
const MAX_NAMES: usize = 4;

/// A notification's content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    pub title: String,
    pub body: String,
    /// The action of a click on the notification itself.
    pub click: Option<Action>,
    pub buttons: Vec<(String, Response)>,
    /// The services or the question in the notification.
    pub subjects: Vec<Subject>,
    /// Whether the notification stays until it is answered, on desktops that support this.
    pub stays: bool,
}

/// A reason for a notification. When all its subjects are settled, the notification closes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    Service(ServerId),
    /// The question with this id.
    Question(String),
}

/// The effect of a button.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Response {
    Do(Action),
    /// Shows the notice again later.
    Snooze,
}

/// Returns the notice for one or more services. Without `has_clicks`, its text mentions no click.
pub fn expiry_notice(services: &[ExpiredService], has_clicks: bool) -> Notice {
    let subjects = services.iter().map(|service| Subject::Service(service.id.clone())).collect();
    let (title, mut body, click) = match services {
        [only] => {
            let (title, body) = single_service_text(only, has_clicks);
            (title, body, Some(action(only)))
        }
        several => (
            format!("{} services need your attention", several.len()),
            format!("{} are waiting for you.", list_names(several)),
            // The window's list shows the other services too.
            several.first().map(|first| Action::OpenServer(first.id.clone())),
        ),
    };
    if !has_clicks {
        body.push_str(" Open Usher to continue.");
    }
    let is_single = services.len() == 1;
    let mut buttons: Vec<_> =
        services.iter().take(MAX_BUTTONS).map(|service| button(service, is_single)).collect();
    buttons.push(("Remind me in an hour".to_owned(), Response::Snooze));
    Notice { title, body, click, buttons, subjects, stays: true }
}

/// Returns the notice about a question. Its title names the service with its host, and its body the calling program.
/// The server's own text comes last.
pub fn question_notice(question: &ElicitationView, has_clicks: bool) -> Notice {
    let answer = Action::AnswerQuestion(question.server.clone(), question.id.clone());
    let hint = if has_clicks { "" } else { "\nOpen Usher to answer." };
    Notice {
        title: format!("{} has a question", question_text::asker(question)),
        body: format!("{}\n{}{hint}", question_text::origin(question), question_text::message(question)),
        click: Some(answer.clone()),
        buttons: vec![
            ("Answer".to_owned(), Response::Do(answer)),
            ("Decline".to_owned(), Response::Do(Action::DeclineQuestion(question.id.clone()))),
        ],
        subjects: vec![Subject::Question(question.id.clone())],
        stays: true,
    }
}

fn single_service_text(service: &ExpiredService, has_clicks: bool) -> (String, String) {
    let name = &service.name;
    let (title, body, click) = match service.action {
        Want::SignIn => (
            format!("{name} needs you to sign in again"),
            "Your sign-in has expired.",
            " Click to open its page in your browser.",
        ),
        Want::Permission => (
            format!("{name} asks for more permissions"),
            "Review the request on its page.",
            " Click to open it in your browser.",
        ),
        Want::AllowSecret => (
            format!("{name} asks for a secret"),
            "mcp.json sends a secret to an address that has not got it before.",
            " Click to see it in Usher.",
        ),
        Want::Approve => (
            format!("{name} waits for your approval"),
            "It is a program on this computer that is new or has changed.",
            " Click to see its command in Usher.",
        ),
    };
    (title, format!("{body}{}", if has_clicks { click } else { "" }))
}

/// Returns the button that opens the browser or the window. If there are several services, the label names this one.
fn button(service: &ExpiredService, is_single: bool) -> (String, Response) {
    let name = &service.name;
    let label = match (service.action, is_single) {
        (Want::SignIn, true) => "Sign in".to_owned(),
        (Want::SignIn, false) => format!("Sign in to {name}"),
        (Want::Permission, true) => "Grant access".to_owned(),
        (Want::Permission, false) => format!("{name}: grant access"),
        (Want::AllowSecret | Want::Approve, true) => "Review".to_owned(),
        (Want::AllowSecret | Want::Approve, false) => format!("{name}: review"),
    };
    (label, Response::Do(action(service)))
}

/// Returns the action for what the service needs. A secret or a program is only allowed in the window, where the person
/// sees it.
fn action(service: &ExpiredService) -> Action {
    match service.action {
        Want::SignIn | Want::Permission => Action::SignIn(service.id.clone()),
        Want::AllowSecret | Want::Approve => Action::OpenServer(service.id.clone()),
    }
}

/// Returns the notice that the app keeps running, shown after its window was closed for the first time.
pub fn tray_notice() -> Notice {
    Notice {
        title: "Usher is still running in the tray".to_owned(),
        body: "It keeps you signed in to your services. To stop it, choose Quit Usher in the tray menu."
            .to_owned(),
        click: Some(Action::Open),
        buttons: Vec::new(),
        subjects: Vec::new(),
        stays: false,
    }
}

/// Lists the names of services: "Asana, Box, Canva and 3 more".
fn list_names(services: &[ExpiredService]) -> String {
    let mut names: Vec<String> = services.iter().map(|service| service.name.clone()).collect();
    if names.len() > MAX_NAMES {
        let rest = names.len() - (MAX_NAMES - 1);
        names.truncate(MAX_NAMES - 1);
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

    fn service(name: &str, action: Want) -> ExpiredService {
        ExpiredService { id: ServerId(name.to_lowercase()), name: name.to_owned(), action }
    }

    fn text(notice: &Notice) -> String {
        let buttons: Vec<_> =
            notice.buttons.iter().map(|(label, response)| format!("[{label}] {response:?}")).collect();
        format!("{}\n{}\n{:?}\n{}", notice.title, notice.body, notice.click, buttons.join("\n"))
    }

    #[test]
    fn a_notice_about_one_service_opens_its_page() {
        insta::assert_snapshot!(text(&expiry_notice(&[service("Notion", Want::SignIn)], true)), @r#"
        Notion needs you to sign in again
        Your sign-in has expired. Click to open its page in your browser.
        Some(SignIn(ServerId("notion")))
        [Sign in] Do(SignIn(ServerId("notion")))
        [Remind me in an hour] Snooze
        "#);
        insta::assert_snapshot!(text(&expiry_notice(&[service("Notion", Want::Permission)], true)), @r#"
        Notion asks for more permissions
        Review the request on its page. Click to open it in your browser.
        Some(SignIn(ServerId("notion")))
        [Grant access] Do(SignIn(ServerId("notion")))
        [Remind me in an hour] Snooze
        "#);
    }

    /// A click on a notification must not send a secret: its text does not show where to.
    #[test]
    fn a_secret_is_only_allowed_in_the_window() {
        insta::assert_snapshot!(text(&expiry_notice(&[service("Notion", Want::AllowSecret)], true)), @r#"
        Notion asks for a secret
        mcp.json sends a secret to an address that has not got it before. Click to see it in Usher.
        Some(OpenServer(ServerId("notion")))
        [Review] Do(OpenServer(ServerId("notion")))
        [Remind me in an hour] Snooze
        "#);
    }

    #[test]
    fn several_services_share_one_notice() {
        let two = [service("Linear", Want::SignIn), service("Notion", Want::Permission)];
        insta::assert_snapshot!(text(&expiry_notice(&two, true)), @r#"
        2 services need your attention
        Linear and Notion are waiting for you.
        Some(OpenServer(ServerId("linear")))
        [Sign in to Linear] Do(SignIn(ServerId("linear")))
        [Notion: grant access] Do(SignIn(ServerId("notion")))
        [Remind me in an hour] Snooze
        "#);
        let many: Vec<_> = ["Asana", "Box", "Canva", "Linear", "Notion", "Sentry"]
            .map(|name| service(name, Want::SignIn))
            .into();
        insta::assert_snapshot!(text(&expiry_notice(&many, true)), @r#"
        6 services need your attention
        Asana, Box, Canva and 3 more are waiting for you.
        Some(OpenServer(ServerId("asana")))
        [Sign in to Asana] Do(SignIn(ServerId("asana")))
        [Sign in to Box] Do(SignIn(ServerId("box")))
        [Remind me in an hour] Snooze
        "#);
    }

    #[test]
    fn a_notice_about_a_question_names_the_service_before_the_servers_text() {
        insta::assert_snapshot!(text(&question_notice(&crate::sample_views::question("Notion"), true)), @r#"
        Notion (mcp.example.com) has a question
        The usher command is running “Ask back” on Notion (mcp.example.com).
        It asks: “Which page?”
        Some(AnswerQuestion(ServerId("notion"), "1"))
        [Answer] Do(AnswerQuestion(ServerId("notion"), "1"))
        [Decline] Do(DeclineQuestion("1"))
        "#);
    }

    #[test]
    fn the_text_mentions_no_click_if_clicks_are_not_reported() {
        let body = |actions: &[Want]| {
            let services: Vec<_> = actions.iter().map(|action| service("Notion", *action)).collect();
            expiry_notice(&services, false).body
        };
        let hint = "Open Usher to continue.";
        assert_eq!(body(&[Want::SignIn]), format!("Your sign-in has expired. {hint}"));
        let permission = format!("Review the request on its page. {hint}");
        assert_eq!(body(&[Want::Permission]), permission);
        assert_eq!(body(&[Want::SignIn; 2]), format!("Notion and Notion are waiting for you. {hint}"));
    }

    #[test]
    fn the_tray_notice_says_that_the_app_is_still_running() {
        insta::assert_snapshot!(text(&tray_notice()), @"
        Usher is still running in the tray
        It keeps you signed in to your services. To stop it, choose Quit Usher in the tray menu.
        Some(Open)
        ");
    }
}
