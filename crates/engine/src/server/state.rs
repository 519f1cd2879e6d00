//! The state of one server. Each part changes only in the file of its type.

use std::sync::Arc;

use tokio::sync::mpsc;
use usher_api::{ErrorView, ServerId};
use usher_config::ServerConfig;

use super::jobs::Jobs;
use super::message::Message;
use super::names::{display_name, own_title};
use super::next_sign_in::NextSignIn;
use super::outbox::Outbox;
use super::phase::CurrentPhase;
use super::refresh_job::RefreshJob;
use super::step_up::StepUp;
use crate::connection::fault::Fault;
use crate::context::Context;
use crate::endpoint::Endpoint;
use crate::words::connection::{ServerLabel, describe_fault};

/// The parts of an entry in `mcp.json` that only affect how the server is shown.
pub(super) struct EntryTexts {
    pub title: Option<String>,
    pub description: Option<String>,
    pub icon: Option<String>,
    pub is_example: bool,
}

pub(super) struct ServerTask {
    pub id: ServerId,
    pub shown: EntryTexts,
    /// Whether `mcp.json` disables the server.
    pub is_disabled: bool,
    pub endpoint: Endpoint,
    pub context: Arc<Context>,
    pub jobs: Jobs,
    pub phase: CurrentPhase,
    pub next_sign_in: NextSignIn,
    pub step_up: StepUp,
    pub refresh: RefreshJob,
    pub outbox: Outbox,
}

impl ServerTask {
    pub fn new(config: &ServerConfig, context: Arc<Context>, inbox: mpsc::UnboundedSender<Message>) -> Self {
        let jobs = Jobs::new(inbox, context.tasks.clone());
        let send = jobs.message_sender();
        let on_grant_change = Arc::new(move || send(Message::GrantChanged));
        let send = jobs.message_sender();
        let on_output = Arc::new(move || send(Message::Publish));
        Self {
            id: ServerId(config.name.clone()),
            shown: EntryTexts {
                title: config.title.clone(),
                description: config.description.clone(),
                icon: config.icon.clone(),
                is_example: config.is_example(),
            },
            is_disabled: config.disabled,
            endpoint: Endpoint::new(config, Arc::clone(&context), on_grant_change, on_output),
            context,
            jobs,
            phase: CurrentPhase::default(),
            next_sign_in: NextSignIn::default(),
            step_up: StepUp::default(),
            refresh: RefreshJob::default(),
            outbox: Outbox::default(),
        }
    }

    /// Returns the displayed name, for messages.
    pub fn name(&self) -> String {
        self.context.board.server(&self.id).map_or_else(|| self.own_name(), |shown| shown.name)
    }

    /// Returns the server's name. Another server may have the same name.
    pub fn own_name(&self) -> String {
        display_name(&self.id.0, self.shown.title.as_deref(), self.endpoint.url())
    }

    /// Returns the title that the server gives itself, unless it is misleading.
    pub fn own_title(&self) -> Option<String> {
        own_title(self.outbox.title()?, &self.name(), self.endpoint.url())
    }

    pub fn label(&self) -> ServerLabel {
        let host = self.endpoint.url().and_then(|url| url.host_str()).map(str::to_owned);
        ServerLabel { name: self.name(), host }
    }

    pub fn describe(&self, fault: &Fault) -> ErrorView {
        describe_fault(fault, &self.label())
    }
}
