//! The content of the tray for a snapshot: one of three icons, and a menu with one line per question and service.

use std::fmt;

use usher_api::{
    ElicitationView, NeedsSignIn, SecretStoreView, ServerView, SignInStep, Snapshot, Status, Want,
};

use crate::action::Action;
use crate::question_text::asker;
use crate::service_label::service_label;

/// The icon's meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Look {
    Idle,
    Working,
    NeedsAttention,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Line {
    /// A text that cannot be clicked.
    Text(String),
    Click(String, Action),
    Separator,
}

/// The number of questions in the menu. The window shows the others after these.
const MAX_QUESTIONS: usize = 3;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Content {
    pub look: Look,
    pub lines: Vec<Line>,
}

impl Content {
    /// Returns the content while the engine starts.
    pub fn starting() -> Self {
        Self::new(Look::Working, "Usher is starting".to_owned(), Vec::new(), None)
    }

    /// Returns the content while an `usher` command is running the engine.
    pub fn command_running() -> Self {
        Self::new(Look::Working, "The usher command is running".to_owned(), Vec::new(), None)
    }

    /// Returns the content after a failed start of the engine. The window shows the reason.
    pub fn start_failed() -> Self {
        let details = click("Usher could not start – see why…", Action::Open);
        Self::new(Look::NeedsAttention, "Usher needs your attention".to_owned(), vec![details], None)
    }

    /// Returns the content for the engine's state.
    pub fn of(snapshot: &Snapshot) -> Self {
        let needing = own_servers(snapshot).filter(|server| needs_attention(server, snapshot)).count();
        let store_error = store_line(&snapshot.secret_store);
        let has_config_error = snapshot.config.error.is_some();
        let has_questions = !snapshot.elicitations.is_empty();
        let look = if needing > 0 || has_questions || store_error.is_some() || has_config_error {
            Look::NeedsAttention
        } else if own_servers(snapshot).any(|server| is_working(&server.status)) {
            Look::Working
        } else {
            Look::Idle
        };
        // An error of the secret store affects every service, and one action resolves it.
        let needing = if store_error.is_some() { 0 } else { needing };
        let mut lines: Vec<Line> = store_error.into_iter().collect();
        if has_config_error {
            lines.push(click("mcp.json has an error – see where…", Action::Open));
        }
        lines.extend(own_servers(snapshot).map(|server| server_line(server, snapshot)));
        let pause = if snapshot.paused {
            click("Resume all", Action::ResumeAll)
        } else {
            click("Pause all", Action::PauseAll)
        };
        let pause = own_servers(snapshot).next().map(|_| pause);
        let mut content = Self::new(look, headline(look, needing, snapshot), lines, pause);
        if has_questions {
            let questions = snapshot.elicitations.iter().take(MAX_QUESTIONS).map(question_line);
            content.lines.splice(0..0, questions.chain([Line::Separator]));
        }
        content
    }

    fn new(look: Look, headline: String, lines: Vec<Line>, pause: Option<Line>) -> Self {
        let mut all = vec![Line::Text(headline)];
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

/// Returns the services without the untouched examples of a new `mcp.json`.
fn own_servers(snapshot: &Snapshot) -> impl Iterator<Item = &ServerView> {
    snapshot.servers.iter().filter(|server| !server.is_example)
}

fn headline(look: Look, needing: usize, snapshot: &Snapshot) -> String {
    match (look, needing) {
        (_, 1) => "1 service needs your attention".to_owned(),
        (_, 2..) => format!("{needing} services need your attention"),
        (Look::NeedsAttention, _) => "Usher needs your attention".to_owned(),
        (_, _) if snapshot.paused => "Paused".to_owned(),
        (_, _) if own_servers(snapshot).next().is_none() => "No services yet".to_owned(),
        (Look::Working, _) => working_headline(snapshot),
        (Look::Idle, _) => "No action needed".to_owned(),
    }
}

/// Returns the headline while services are connecting or signing in. If all these services are unreachable, the
/// headline says so, because they may stay unreachable for a long time.
fn working_headline(snapshot: &Snapshot) -> String {
    let working: Vec<_> = own_servers(snapshot).filter(|server| is_working(&server.status)).collect();
    let is_unreachable = |server: &&&ServerView| matches!(server.status, Status::Reconnecting { .. });
    match working.iter().filter(is_unreachable).count() {
        unreachable if unreachable < working.len() => "Working…".to_owned(),
        1 => "1 service is unreachable".to_owned(),
        unreachable => format!("{unreachable} services are unreachable"),
    }
}

/// Whether the service waits for the person. A person who signed out is not asked to sign in.
fn needs_attention(server: &ServerView, snapshot: &Snapshot) -> bool {
    match server.status {
        Status::Failed { .. } => true,
        Status::NeedsSignIn { reason: NeedsSignIn::SignedOut } | Status::SigningIn { .. } => false,
        Status::Disabled | Status::Paused => false,
        Status::NeedsSignIn { .. }
        | Status::Connecting
        | Status::Connected { .. }
        | Status::Reconnecting { .. } => server.wants.is_some() || has_question(server, snapshot),
    }
}

fn is_working(status: &Status) -> bool {
    matches!(status, Status::Connecting | Status::SigningIn { .. } | Status::Reconnecting { .. })
}

/// Whether a call waits for the person's answer to the server's question.
fn has_question(server: &ServerView, snapshot: &Snapshot) -> bool {
    snapshot.elicitations.iter().any(|elicitation| elicitation.server == server.id)
}

/// Returns the line of a question. These lines come first, because a call waits for the answer.
fn question_line(question: &ElicitationView) -> Line {
    let action = Action::AnswerQuestion(question.server.clone(), question.id.clone());
    click(format!("{} has a question – answer…", asker(question)), action)
}

fn server_line(server: &ServerView, snapshot: &Snapshot) -> Line {
    let name = service_label(server, &snapshot.servers);
    let id = server.id.clone();
    let is_unanswered = server.permission.is_none() && has_question(server, snapshot);
    match (&server.status, server.wants) {
        (Status::SigningIn { step: SignInStep::WaitingForBrowser, opened: Some(_), .. }, _) => {
            click(format!("{name}: waiting for your browser – open it again…"), Action::OpenPageAgain(id))
        }
        (Status::SigningIn { step: SignInStep::WaitingForBrowser, opened: None, .. }, _) => {
            click(format!("Sign in to {name}: open the browser…"), Action::OpenPageAgain(id))
        }
        (
            Status::Connecting
            | Status::Reconnecting { .. }
            | Status::Connected { .. }
            | Status::SigningIn { .. },
            _,
        ) if is_unanswered => click(format!("{name} has a question…"), Action::OpenServer(id)),
        (_, Some(Want::SignIn)) => click(format!("Sign in to {name}…"), Action::SignIn(id)),
        (_, Some(Want::Permission)) => {
            click(format!("{name}: permission needed – grant access…"), Action::SignIn(id))
        }
        (_, Some(Want::AllowSecret)) => {
            click(format!("{name}: asks for a secret – see which…"), Action::OpenServer(id))
        }
        (_, Some(Want::Approve)) => {
            click(format!("{name}: waits for your approval – see its command…"), Action::OpenServer(id))
        }
        (status @ Status::Reconnecting { .. }, None) => {
            click(format!("{name}: {} – retry", state_text(status)), Action::Connect(id))
        }
        (Status::Connected { .. }, None) if server.is_connected_without_sign_in() => {
            click(format!("{name}: connected, not signed in"), Action::OpenServer(id))
        }
        (status, None) => click(format!("{name}: {}", state_text(status)), Action::OpenServer(id)),
    }
}

/// Returns the state as a line of the menu shows it.
fn state_text(status: &Status) -> &'static str {
    match status {
        Status::Failed { .. } => "needs attention – see why…",
        Status::Disabled => "off",
        Status::Paused => "paused",
        Status::Connecting => "connecting",
        Status::SigningIn { .. } => "signing in",
        Status::Connected { .. } => "connected",
        Status::Reconnecting { .. } => "unreachable",
        Status::NeedsSignIn { .. } => "sign-in needed",
    }
}

fn store_line(store: &SecretStoreView) -> Option<Line> {
    match store {
        SecretStoreView::Keychain { error: Some(_) } => {
            Some(click("Usher cannot read the keychain – retry", Action::RetrySecretStore))
        }
        SecretStoreView::File { error: Some(_), .. } => {
            Some(click("Usher cannot read its secrets file – see why…", Action::Open))
        }
        SecretStoreView::Keychain { error: None }
        | SecretStoreView::File { error: None, .. }
        | SecretStoreView::Memory => None,
    }
}

fn click(text: impl Into<String>, action: Action) -> Line {
    Line::Click(text.into(), action)
}

impl fmt::Display for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "<{:?}>", self.look)?;
        for line in &self.lines {
            match line {
                Line::Text(text) => writeln!(f, "({text})")?,
                Line::Click(text, action) => writeln!(f, "{text}  → {action:?}")?,
                Line::Separator => writeln!(f, "---")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
