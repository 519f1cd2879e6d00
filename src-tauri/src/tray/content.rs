//! What the tray shows of a snapshot: one of three looks, and a menu with one line a service.

use std::fmt;

use usher_api::{NeedsSignIn, SecretStoreView, ServerId, ServerView, SignInStep, Snapshot, Status};

use crate::action::Action;
use crate::need::{self, Need};

/// The picture's meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Look {
    AllWell,
    Working,
    NeedsYou,
}

/// One line of the menu.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Line {
    /// Says something and cannot be clicked.
    Words(String),
    Click(String, Action),
    Separator,
}

/// All that is seen of Usher in the tray.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Content {
    pub look: Look,
    pub lines: Vec<Line>,
}

/// Longer names make a menu wider than some screens.
const LONGEST_NAME: usize = 40;

impl Content {
    /// Before the engine runs.
    pub fn starting() -> Self {
        Self::framed(Look::Working, "Usher is starting".to_owned(), Vec::new(), None)
    }

    /// While a command holds the engine.
    pub fn command_runs() -> Self {
        Self::framed(Look::Working, "An usher command is at work".to_owned(), Vec::new(), None)
    }

    /// Where the engine did not start, whose reasons the window tells.
    pub fn not_started() -> Self {
        let why = click("Usher could not start: see why…", Action::Open);
        Self::framed(Look::NeedsYou, "Usher needs you".to_owned(), vec![why], None)
    }

    /// Of a running engine.
    pub fn of(snapshot: &Snapshot) -> Self {
        let waiting = snapshot.servers.iter().filter(|server| needs_person(server, snapshot)).count();
        let store_fails = store_line(&snapshot.secret_store);
        let config_fails = snapshot.config.error.is_some();
        let works = snapshot.servers.iter().any(|server| is_working(&server.status));
        let look = if waiting > 0 || store_fails.is_some() || config_fails {
            Look::NeedsYou
        } else if works {
            Look::Working
        } else {
            Look::AllWell
        };
        // What is wrong with the store is wrong with every service, and settled at once.
        let waiting = if store_fails.is_some() { 0 } else { waiting };
        let mut lines: Vec<Line> = store_fails.into_iter().collect();
        if config_fails {
            lines.push(click("mcp.json has a fault: see where…", Action::Open));
        }
        lines.extend(snapshot.servers.iter().map(|server| server_line(server, snapshot)));
        let pause = if snapshot.paused {
            click("Resume all", Action::ResumeAll)
        } else {
            click("Pause all", Action::PauseAll)
        };
        let pause = (!snapshot.servers.is_empty()).then_some(pause);
        Self::framed(look, headline(look, waiting, snapshot), lines, pause)
    }

    fn framed(look: Look, headline: String, lines: Vec<Line>, pause: Option<Line>) -> Self {
        let mut all = vec![Line::Words(headline)];
        for group in [lines, pause.into_iter().collect()] {
            if !group.is_empty() {
                all.push(Line::Separator);
                all.extend(group);
            }
        }
        all.push(Line::Separator);
        all.push(click("Open Usher", Action::Open));
        all.push(click("Quit Usher", Action::Quit));
        Self { look, lines: all }
    }
}

fn headline(look: Look, waiting: usize, snapshot: &Snapshot) -> String {
    match (look, waiting) {
        (_, 1) => "A service needs you".to_owned(),
        (_, 2..) => format!("{waiting} services need you"),
        (Look::NeedsYou, _) => "Usher needs you".to_owned(),
        (_, _) if snapshot.paused => "Paused".to_owned(),
        (_, _) if snapshot.servers.is_empty() => "No services yet".to_owned(),
        (Look::Working, _) => working(snapshot),
        (Look::AllWell, _) => "All is well".to_owned(),
    }
}

/// What goes on; a service that is not reached may stay so for long.
fn working(snapshot: &Snapshot) -> String {
    let working: Vec<_> = snapshot.servers.iter().filter(|server| is_working(&server.status)).collect();
    let away = |server: &&&ServerView| matches!(server.status, Status::Reconnecting { .. });
    match working.iter().filter(away).count() {
        away if away < working.len() => "Working…".to_owned(),
        1 => "A service is not reached".to_owned(),
        away => format!("{away} services are not reached"),
    }
}

/// Whether nothing goes on before somebody does something. Who signed out does not want to be asked.
fn needs_person(server: &ServerView, snapshot: &Snapshot) -> bool {
    match server.status {
        Status::NeedsSignIn { reason: NeedsSignIn::SignedOut } => false,
        Status::NeedsSignIn { .. } | Status::Failed { .. } => true,
        Status::Disabled | Status::Paused | Status::Unsupported { .. } | Status::SigningIn { .. } => false,
        Status::Connecting | Status::Connected { .. } | Status::Reconnecting { .. } => {
            server.permission.is_some() || need::of_connected(server).is_some() || asks(server, snapshot)
        }
    }
}

fn is_working(status: &Status) -> bool {
    matches!(status, Status::Connecting | Status::SigningIn { .. } | Status::Reconnecting { .. })
}

/// Whether the server waits in the middle of a call for the person's answer.
fn asks(server: &ServerView, snapshot: &Snapshot) -> bool {
    snapshot.elicitations.iter().any(|elicitation| elicitation.server == server.id)
}

fn server_line(server: &ServerView, snapshot: &Snapshot) -> Line {
    let name = label(server, &snapshot.servers);
    let id = server.id.clone();
    match &server.status {
        Status::NeedsSignIn { reason: NeedsSignIn::MorePermissionNeeded } => wants_more(&name, id),
        Status::NeedsSignIn { .. } => click(format!("Sign in to {name}…"), Action::SignIn(id)),
        Status::SigningIn { step: SignInStep::WaitingForBrowser, opened: Some(_), .. } => {
            click(format!("{name} waits in the browser: show it again…"), Action::OpenPageAgain(id))
        }
        Status::SigningIn { step: SignInStep::WaitingForBrowser, opened: None, .. } => {
            click(format!("Sign in to {name}: open the browser…"), Action::OpenPageAgain(id))
        }
        Status::Failed { .. } => click(format!("{name} failed: see why…"), Action::OpenServer(id)),
        Status::Disabled => click(format!("{name}: off"), Action::OpenServer(id)),
        Status::Paused => click(format!("{name}: paused"), Action::OpenServer(id)),
        Status::Unsupported { .. } => click(format!("{name}: not run by Usher yet"), Action::OpenServer(id)),
        _ if server.permission.is_some() => wants_more(&name, id),
        _ if asks(server, snapshot) => click(format!("{name} has a question…"), Action::OpenServer(id)),
        Status::Reconnecting { .. } => click(format!("{name}: not reached, try now"), Action::Connect(id)),
        Status::Connecting => click(format!("{name}: connecting"), Action::OpenServer(id)),
        Status::SigningIn { .. } => click(format!("{name}: signing in"), Action::OpenServer(id)),
        Status::Connected { .. } => match need::of_connected(server) {
            Some(Need::MorePermission) => wants_more(&name, id),
            Some(Need::SignIn) => click(format!("Sign in to {name}…"), Action::SignIn(id)),
            None => click(format!("{name}: connected"), Action::OpenServer(id)),
        },
    }
}

fn wants_more(name: &str, id: ServerId) -> Line {
    click(format!("{name} wants more permission: grant access…"), Action::SignIn(id))
}

fn store_line(store: &SecretStoreView) -> Option<Line> {
    match store {
        SecretStoreView::Keychain { error: Some(_) } => {
            Some(click("Usher cannot read the keychain: try again", Action::RetrySecretStore))
        }
        SecretStoreView::File { error: Some(_), .. } => {
            Some(click("Usher cannot read its file of secrets: see why…", Action::Open))
        }
        SecretStoreView::Keychain { error: None }
        | SecretStoreView::File { error: None, .. }
        | SecretStoreView::Memory => None,
    }
}

fn click(text: impl Into<String>, action: Action) -> Line {
    Line::Click(text.into(), action)
}

/// What a server is called in lines and notifications: where several have one title, each with its own name.
pub fn label(server: &ServerView, servers: &[ServerView]) -> String {
    let name = shortened(&server.name);
    let is_alone = servers.iter().all(|other| other.id == server.id || shortened(&other.name) != name);
    if is_alone { name } else { format!("{name} ({})", shortened(&server.id.0)) }
}

/// A name as it fits into a line.
fn shortened(name: &str) -> String {
    if name.chars().count() <= LONGEST_NAME {
        return name.to_owned();
    }
    let mut short: String = name.chars().take(LONGEST_NAME - 1).collect();
    short.push('…');
    short
}

impl fmt::Display for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "<{:?}>", self.look)?;
        for line in &self.lines {
            match line {
                Line::Words(text) => writeln!(f, "({text})")?,
                Line::Click(text, action) => writeln!(f, "{text}  → {action:?}")?,
                Line::Separator => writeln!(f, "---")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
