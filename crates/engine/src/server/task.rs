//! One server's task: the only writer of its status. It waits for nothing but its inbox; the work is done by jobs.

use std::sync::Arc;
use std::time::Duration;

use rmcp::model::Tool;
use tokio::sync::{mpsc, oneshot, watch};
use usher_config::{ServerConfig, Transport};
use usher_oauth::{BearerChallenge, Scopes};

use super::freshness::Renewal;
use super::phase::{Job, Live, Phase, Stage};
use super::view::{reach, view};
use super::{Message, Outcome, PermissionNeeded, Reach};
use crate::connection::Connection;
use crate::connection::fault::Fault;
use crate::describe::{Who, describe_fault, error};
use crate::server::site::Place;
use crate::shared::Shared;
use crate::{Code, ErrorView, NeedsSignIn, ServerId, TransportKind};

/// How long a server is told that we leave.
const FAREWELL: Duration = Duration::from_secs(1);

pub(super) struct ServerTask {
    pub id: ServerId,
    pub address: String,
    pub transport: TransportKind,
    /// `None` for the kinds that are not run yet.
    pub place: Option<Arc<Place>>,
    pub shared: Arc<Shared>,
    pub phase: Phase,
    /// What the last 401 said; a 401 that says nothing counts as an empty challenge.
    pub challenge: Option<BearerChallenge>,
    /// What a 403 asked for and nobody granted yet.
    pub step_up: Option<BearerChallenge>,
    /// Step-ups of the handshake itself, in a row.
    pub step_ups: u32,
    /// The scopes of the last authorization request.
    pub asked_scopes: Scopes,
    /// Why the sign-in that was there is gone.
    pub lost: Option<NeedsSignIn>,
    pub last_error: Option<ErrorView>,
    pub title: Option<String>,
    /// This run sent somebody to the browser for this server.
    pub waited: bool,
    /// A sign-in came, and no connection has shown yet what it is good for.
    pub signed_in_anew: bool,
    /// Its lists are those of another connection than was told of last.
    pub is_connected_anew: bool,
    /// Calls that wait for the person's permission.
    pub waiting_calls: Vec<PermissionNeeded>,
    /// The connection of a sign-in that ended: it serves again with the next one, so that the server's session goes on.
    pub parked: Option<Arc<Connection>>,
    pub renewal: Renewal,
    pub inbox: mpsc::UnboundedSender<Message>,
    pub attempt: u32,
    generation: u64,
    listed: Option<Arc<Vec<Tool>>>,
    reach: watch::Sender<Reach>,
    /// Told after the view is published, so that a caller finds what it was told.
    answers: Vec<Box<dyn FnOnce() + Send>>,
}

/// Starts the task; its first view is published when this returns.
pub(super) fn spawn(
    config: &ServerConfig,
    shared: Arc<Shared>,
) -> (mpsc::UnboundedSender<Message>, watch::Receiver<Reach>) {
    let (inbox, messages) = mpsc::unbounded_channel();
    let mut task = ServerTask::new(config, shared, inbox.clone());
    let reach = task.reach.subscribe();
    if !config.disabled && task.place.is_some() {
        task.begin();
    }
    task.publish();
    tokio::spawn(task.run(messages));
    (inbox, reach)
}

impl ServerTask {
    fn new(config: &ServerConfig, shared: Arc<Shared>, inbox: mpsc::UnboundedSender<Message>) -> Self {
        let id = ServerId(config.name.clone());
        let (transport, address, why) = match &config.transport {
            Transport::Http { url, .. } => (TransportKind::Http, url.to_string(), None),
            Transport::Sse { url, .. } => {
                let why = "This address speaks the older HTTP+SSE, which Usher does not run yet.";
                (TransportKind::Sse, url.to_string(), Some(why))
            }
            Transport::Stdio { command, .. } => {
                let why = "This is a local program, which Usher does not run yet.";
                (TransportKind::Stdio, command.source().to_owned(), Some(why))
            }
        };
        let place = match &config.transport {
            Transport::Http { url, headers } => Some(Arc::new(Place::new(
                id.clone(),
                url.clone(),
                headers.clone(),
                config.oauth.clone(),
                Arc::clone(&shared),
                inbox.clone(),
            ))),
            Transport::Sse { .. } | Transport::Stdio { .. } => None,
        };
        let phase = match why {
            Some(why) if !config.disabled => Phase::Unsupported { why: why.to_owned() },
            Some(_) | None => Phase::Disabled,
        };
        let reach = watch::Sender::new(Reach::Busy);
        Self {
            id,
            address,
            transport,
            place,
            shared,
            phase,
            challenge: None,
            step_up: None,
            step_ups: 0,
            asked_scopes: Scopes::default(),
            lost: None,
            last_error: None,
            title: None,
            waited: false,
            signed_in_anew: false,
            is_connected_anew: false,
            waiting_calls: Vec::new(),
            parked: None,
            renewal: Renewal::default(),
            inbox,
            attempt: 0,
            generation: 0,
            listed: None,
            reach,
            answers: Vec::new(),
        }
    }

    async fn run(mut self, mut messages: mpsc::UnboundedReceiver<Message>) {
        while let Some(message) = messages.recv().await {
            match message {
                Message::Stop { reply } => {
                    self.stop(reply).await;
                    return;
                }
                message => self.take(message),
            }
            self.mind_renewal();
            self.publish();
            for answer in self.answers.drain(..) {
                answer();
            }
        }
    }

    /// Answers a caller, once the view of what it is told is published.
    pub fn answer<T: Send + 'static>(&mut self, reply: oneshot::Sender<T>, answer: T) {
        self.answers.push(Box::new(move || {
            let _ = reply.send(answer);
        }));
    }

    fn take(&mut self, message: Message) {
        match message {
            Message::Connect => self.connect_again(),
            Message::Disconnect => self.disconnect(),
            Message::Rejoin => self.rejoin(),
            Message::Pause { reply } => {
                self.pause();
                self.answer(reply, ());
            }
            Message::GoOn { reply } => {
                self.go_on();
                self.answer(reply, ());
            }
            Message::PermissionNeeded(needed) => self.permission_needed(needed),
            Message::PermissionAbandoned => self.permission_abandoned(),
            Message::PermissionDeclined => self.permission_declined(),
            Message::SignIn { options, reply } => self.sign_in(options, reply),
            Message::NextRedirect { reply } => self.next_redirect(reply),
            Message::BrowserOpened => self.browser_opened(),
            Message::CancelSignIn { reply } => {
                self.cancel_sign_in();
                self.answer(reply, ());
            }
            Message::Resume { pending, reply } => {
                self.resume(*pending);
                self.answer(reply, ());
            }
            Message::Complete { response, reply } => self.complete(response, reply),
            Message::SignOut { reply } => self.sign_out(reply),
            Message::SignedOut { outcome, reply } => self.signed_out(outcome, reply),
            Message::SecretsChanged { named } => self.secrets_changed(named.as_deref()),
            Message::Failed { connection, fault } => self.call_failed(&connection, &fault),
            Message::Listed { connection } => self.tools_listed(&connection),
            Message::ListChanged { connection, list } => self.list_changed(&connection, list),
            Message::RefusedInResult { connection } => self.refused_in_result(&connection),
            Message::GoodResult { connection } => self.good_result(&connection),
            Message::Ended { connection } => self.call_failed(&connection, &Fault::Lost),
            Message::GrantChanged => self.grant_changed(),
            Message::RenewalEnded { number, fault } => self.renewal_ended(number, fault),
            Message::Done { generation, outcome } if generation == self.generation => self.done(outcome),
            Message::Done { .. } => {}
            // Handled by the loop.
            Message::Stop { .. } => {}
        }
    }

    fn done(&mut self, outcome: Outcome) {
        match outcome {
            Outcome::Step(step) => self.preparing(step),
            Outcome::Prepared(outcome) => self.prepared(outcome),
            Outcome::Exchanged(outcome) => self.exchanged(outcome),
            Outcome::Connected(outcome) if matches!(self.phase, Phase::SigningIn(_)) => {
                self.connected_while_signing_in(outcome);
            }
            Outcome::Connected(Ok(opened)) => self.connected(opened),
            Outcome::Connected(Err(fault)) => {
                self.not_connected(&fault);
            }
            Outcome::Due if matches!(self.phase, Phase::SigningIn(_)) => self.sign_in_timed_out(),
            Outcome::Due => self.try_again(),
        }
    }

    /// Runs work beside the task; what it finds comes back unless something newer was begun.
    pub fn job(&mut self, work: impl Future<Output = Outcome> + Send + 'static) -> Job {
        Job(tokio::spawn(self.reported(work)).abort_handle())
    }

    /// The same for work that has to come to its end even when nobody waits for it any more.
    pub fn lasting_job(&mut self, work: impl Future<Output = Outcome> + Send + 'static) {
        let work = self.reported(work);
        self.shared.tasks.spawn(work);
    }

    fn reported(
        &mut self,
        work: impl Future<Output = Outcome> + Send + 'static,
    ) -> impl Future<Output = ()> + Send + 'static {
        self.generation += 1;
        let (generation, inbox) = (self.generation, self.inbox.clone());
        async move {
            let outcome = work.await;
            let _ = inbox.send(Message::Done { generation, outcome });
        }
    }

    /// What is under way is no longer wanted, though its result may be in the inbox already.
    pub fn forget_jobs(&mut self) {
        self.generation += 1;
    }

    /// The next generation's number, for jobs that report steps on their way.
    pub fn upcoming_generation(&self) -> u64 {
        self.generation + 1
    }

    pub fn is_current(&mut self, connection: &Arc<Connection>) -> bool {
        self.live_mut().is_some_and(|live| Arc::ptr_eq(&live.connection, connection))
    }

    pub fn live_mut(&mut self) -> Option<&mut Live> {
        match &mut self.phase {
            Phase::Connected(live) => Some(live),
            Phase::SigningIn(sign_in) => sign_in.live.as_mut(),
            Phase::Disabled
            | Phase::Paused
            | Phase::Unsupported { .. }
            | Phase::Connecting { .. }
            | Phase::NeedsSignIn { .. }
            | Phase::Reconnecting { .. }
            | Phase::Failed { .. } => None,
        }
    }

    pub fn url(&self) -> Option<&url::Url> {
        self.place.as_ref().map(|place| &place.url)
    }

    pub fn who(&self) -> Who {
        Who { name: self.name(), host: self.url().and_then(|url| url.host_str()).map(str::to_owned) }
    }

    pub fn describe(&self, fault: &Fault) -> ErrorView {
        describe_fault(fault, &self.who())
    }

    /// What the server is called in sentences: as it is shown.
    pub fn name(&self) -> String {
        self.shared.board.server(&self.id).map_or_else(|| view(self).name, |shown| shown.name)
    }

    fn publish(&mut self) {
        self.shared.board.change_server(view(self));
        self.reach.send_replace(reach(self));
        if std::mem::take(&mut self.is_connected_anew) && self.listed.is_some() {
            // What changed while nobody listened was told to nobody.
            self.shared.board.change_resources(&self.id);
            self.shared.board.change_prompts(&self.id);
        }
        let Some(live) = self.live_mut() else { return };
        let tools = Arc::clone(&live.tools);
        if self.listed.as_ref() != Some(&tools) {
            self.listed = Some(tools);
            self.shared.board.change_tools(&self.id);
        }
    }

    async fn stop(&mut self, reply: oneshot::Sender<()>) {
        let connection = self.live_mut().map(|live| Arc::clone(&live.connection)).or(self.parked.take());
        self.refuse_calls(&ending());
        let site = self.place.as_ref().and_then(|place| place.site_at_hand());
        if let Some(credentials) = site.and_then(|site| site.credentials.clone()) {
            // A rotated token that the secret store did not take would be lost with us.
            self.shared.tasks.spawn(async move { credentials.save_what_is_left().await });
        }
        // A sign-in that waits stays in the secret store: the answer may still come, to the next run.
        if let Phase::SigningIn(sign_in) = std::mem::replace(&mut self.phase, Phase::Disabled) {
            match sign_in.stage {
                Stage::Probing { reply } | Stage::Preparing { reply, .. } => {
                    let _ = reply.send(Err(ending()));
                }
                Stage::Waiting(_) | Stage::Exchanging { .. } | Stage::Connecting { .. } => {}
            }
        }
        for answer in self.answers.drain(..) {
            answer();
        }
        if let Some(connection) = connection {
            connection.close(FAREWELL).await;
        }
        let _ = reply.send(());
    }
}

fn ending() -> ErrorView {
    error(Code::AuthorizationExpired, "Usher is ending.", "Sign in again.")
}
