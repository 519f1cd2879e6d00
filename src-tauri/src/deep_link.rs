//! Links of `dev.usher.desktop:`, as the system brings them. Any program and any web page can send one.
//!
//! The shell only recognises a link; what it says is the engine's to judge, from the raw text.

use tauri::{AppHandle, Manager};
use usher_api::ErrorView;

use crate::running::{self, HandedOver};
use crate::{autostart, shell::Shell, window};

/// What the arguments of a start ask for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Start<'a> {
    /// A person starts the app, perhaps with flags.
    Window,
    /// The system brings a link.
    Link(&'a str),
    /// A link in company. A handler gets exactly one argument: somebody smuggles flags beside a link, or a link
    /// beside flags.
    Refused,
}

/// Reads the arguments behind the program's name.
pub fn read(arguments: &[String]) -> Start<'_> {
    match arguments {
        [only] if is_link(only) => Start::Link(only),
        _ if arguments.iter().any(|argument| is_link(argument)) => Start::Refused,
        _ => Start::Window,
    }
}

/// Schemes have no case (RFC 3986 §3.1).
fn is_link(argument: &str) -> bool {
    argument
        .split_once(':')
        .is_some_and(|(scheme, _)| scheme.trim_start().eq_ignore_ascii_case("dev.usher.desktop"))
}

/// A second process was started and gave us its arguments, the program's name first.
pub fn another_start(app: &AppHandle, arguments: &[String]) {
    match read(arguments.get(1..).unwrap_or_default()) {
        // A login that starts what runs already is nobody's wish to see it.
        Start::Window if arguments.iter().any(|argument| argument == autostart::FLAG) => {}
        Start::Window => window::open(app),
        Start::Link(address) => deliver(app, address.to_owned()),
        Start::Refused => tracing::warn!("a link came with other arguments and was dropped"),
    }
}

/// Hands a link to the engine. The window comes forward only if the engine takes it (see `events`).
pub fn deliver(app: &AppHandle, address: String) {
    let app = app.clone();
    tauri::async_runtime::spawn(async move {
        // Who sends links gets no answer. What matters to the person shows as the server's state.
        let _ = complete(&app, &address).await;
    });
}

/// Hands over the link that the app was started by, and keeps the outcome for the page: the window is open anyway,
/// and the person wonders why.
pub fn deliver_first(app: &AppHandle, address: String) {
    let app = app.clone();
    tauri::async_runtime::spawn(async move {
        let outcome = complete(&app, &address).await;
        app.state::<Shell>().start_link.send_replace(Some(outcome));
    });
}

async fn complete(app: &AppHandle, address: &str) -> Result<(), ErrorView> {
    let shell = app.state::<Shell>();
    let engine = match shell.engine.get().await {
        Ok(engine) => engine,
        // A command has the engine, and perhaps the sign-in that this belongs to.
        Err(error) => match running::hand_over(&shell.places, address).await {
            HandedOver::Taken => return Ok(()),
            HandedOver::Refused | HandedOver::NobodyThere => return Err(error),
        },
    };
    let outcome = engine.complete_sign_in(address).await;
    match &outcome {
        Ok(id) => tracing::info!(server = %id, "a link completed a sign-in"),
        Err(error) => tracing::warn!(code = ?error.code, "a link completed nothing"),
    }
    outcome.map(drop)
}

/// macOS brings links as events, to a running app and just after its start alike; never as arguments.
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
    fn one_link_alone_is_a_link_and_stays_as_it_is() {
        for link in [
            "dev.usher.desktop:/oauth/callback?code=a&state=b",
            "dev.usher.desktop://oauth/callback?code=a%20b#f",
            "DEV.Usher.Desktop:anything \u{202e} at all",
            "dev.usher.desktop:",
        ] {
            assert_eq!(read(&owned(&[link])), Start::Link(link));
        }
    }

    #[test]
    fn a_link_in_company_is_refused() {
        let link = "dev.usher.desktop:/oauth/callback?code=a";
        for arguments in [
            vec![link, "--config=/tmp/x"],
            vec!["--config", link],
            vec!["--", link],
            vec![link, link],
            vec![link, ""],
            vec!["", " dev.usher.desktop:/x"],
        ] {
            assert_eq!(read(&owned(&arguments)), Start::Refused, "{arguments:?}");
        }
    }

    #[test]
    fn everything_else_is_a_start_of_the_window() {
        for arguments in
            [vec![], vec!["--config", "/a:b"], vec!["https://dev.usher.desktop/"], vec!["dev.usher.desktop"]]
        {
            assert_eq!(read(&owned(&arguments)), Start::Window, "{arguments:?}");
        }
    }
}
