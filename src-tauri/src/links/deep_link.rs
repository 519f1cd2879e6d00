//! The delivery of `dev.usher.desktop:` links. Any program and any web page can send one.
//!
//! The app only recognises the scheme of a link. The engine validates the raw text.

use tauri::{AppHandle, Manager};
use usher_api::ErrorView;

use super::start_link::StartLink;
use crate::engine_slot::EngineSlot;
use crate::options::{HIDDEN_FLAG, Paths};
use crate::running_instance::{self, HandOver};
use crate::window;

/// The arguments of a start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Arguments<'a> {
    /// The arguments contain no link: a person or the desktop session starts the app.
    Flags,
    /// The system delivers a link.
    Link(&'a str),
    /// A link with other arguments. The system passes a link alone, so this may be an attempt to inject arguments.
    Rejected,
}

/// Parses the arguments after the program's name.
pub fn parse(arguments: &[String]) -> Arguments<'_> {
    match arguments {
        [only] if is_link(only) => Arguments::Link(only),
        _ if arguments.iter().any(|argument| is_link(argument)) => Arguments::Rejected,
        _ => Arguments::Flags,
    }
}

/// Whether the argument has the scheme of Usher's links. Schemes are case-insensitive (RFC 3986 §3.1).
fn is_link(argument: &str) -> bool {
    argument
        .split_once(':')
        .is_some_and(|(scheme, _)| scheme.trim_start().eq_ignore_ascii_case("dev.usher.desktop"))
}

/// Handles the arguments of a second process. The program's name comes first.
pub fn handle_second_start(app: &AppHandle, arguments: &[String]) {
    match parse(arguments.get(1..).unwrap_or_default()) {
        // A start at login must not open the window.
        Arguments::Flags if arguments.iter().any(|argument| argument == HIDDEN_FLAG) => {}
        Arguments::Flags => window::open(app),
        Arguments::Link(address) => deliver(app, address.to_owned()),
        Arguments::Rejected => tracing::warn!("dropped a link that came with other arguments"),
    }
}

/// Delivers a link to the engine. The window comes to the front only if the engine accepts the link (see
/// `engine_events`).
pub fn deliver(app: &AppHandle, address: String) {
    let app = app.clone();
    tauri::async_runtime::spawn(async move {
        // The sender gets no reply. The server's state shows the outcome.
        let _ = complete(&app, &address).await;
    });
}

/// Delivers the link that started the app. The window opens in any case, so the page shows the outcome.
pub fn deliver_start_link(app: &AppHandle, address: String) {
    let app = app.clone();
    tauri::async_runtime::spawn(async move {
        let outcome = complete(&app, &address).await;
        app.state::<StartLink>().set(outcome);
    });
}

async fn complete(app: &AppHandle, address: &str) -> Result<(), ErrorView> {
    let engine = match app.state::<EngineSlot>().get().await {
        Ok(engine) => engine,
        // If a command holds the engine, the link may belong to one of its sign-ins.
        Err(error) => match running_instance::hand_over(&app.state::<Paths>(), address).await {
            HandOver::Accepted => return Ok(()),
            HandOver::Rejected | HandOver::NotRunning => return Err(error),
        },
    };
    let outcome = engine.complete_sign_in(address).await;
    match &outcome {
        Ok(id) => tracing::info!(server = %id, "a link completed a sign-in"),
        Err(error) => tracing::warn!(code = ?error.code, "a link did not complete a sign-in"),
    }
    outcome.map(drop)
}

/// Listens for links. macOS delivers every link as an event, even the link that starts the app.
#[cfg(target_os = "macos")]
pub fn listen(app: &AppHandle) {
    use tauri_plugin_deep_link::DeepLinkExt;

    let handle = app.clone();
    app.deep_link().on_open_url(move |event| {
        for address in event.urls() {
            deliver(&handle, address.into());
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owned(arguments: &[&str]) -> Vec<String> {
        arguments.iter().map(|argument| (*argument).to_owned()).collect()
    }

    #[test]
    fn a_single_link_is_passed_on_unchanged() {
        for link in [
            "dev.usher.desktop:/oauth/callback?code=a&state=b",
            "dev.usher.desktop://oauth/callback?code=a%20b#f",
            "DEV.Usher.Desktop:anything \u{202e} at all",
            "dev.usher.desktop:",
        ] {
            assert_eq!(parse(&owned(&[link])), Arguments::Link(link));
        }
    }

    #[test]
    fn a_link_with_other_arguments_is_rejected() {
        let link = "dev.usher.desktop:/oauth/callback?code=a";
        for arguments in [
            vec![link, "--config=/tmp/x"],
            vec!["--config", link],
            vec!["--", link],
            vec![link, link],
            vec![link, ""],
            vec!["", " dev.usher.desktop:/x"],
        ] {
            assert_eq!(parse(&owned(&arguments)), Arguments::Rejected, "{arguments:?}");
        }
    }

    #[test]
    fn other_arguments_are_flags() {
        for arguments in
            [vec![], vec!["--config", "/a:b"], vec!["https://dev.usher.desktop/"], vec!["dev.usher.desktop"]]
        {
            assert_eq!(parse(&owned(&arguments)), Arguments::Flags, "{arguments:?}");
        }
    }
}
