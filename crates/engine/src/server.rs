//! One server's task from outside: the messages it takes, and the handle that sends them.

mod answer;
pub(crate) mod backoff;
mod connect;
mod connecting;
mod flow;
mod freshness;
mod permission;
mod phase;
mod renewal;
mod renewed_for_result;
mod sign_out;
pub(crate) mod site;
mod task;
mod trouble;
mod view;

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use tokio::sync::{mpsc, oneshot, watch};
use usher_config::ServerConfig;
use usher_oauth::{AuthorizationResponse, PendingAuthorization};

use crate::connection::Connection;
use crate::connection::changes::List;
use crate::connection::fault::Fault;
use crate::credentials::CredentialFault;
use crate::describe::{error, never_content};
use crate::shared::Shared;
use crate::sign_in::Prepared;
use crate::{AuthorizationRequestView, Code, ErrorView, ServerId, SignInOptions, SignInStep};

use connect::Opened;
pub(crate) use permission::PermissionNeeded;
use renewed_for_result::RenewedForResult;

/// What a server's task is told. Whoever sends it need not wait for what comes of it.
pub(crate) enum Message {
    Connect,
    Disconnect,
    /// The computer woke, or the network came back: what is connected may be dead, and what waits need not wait.
    Rejoin,
    Pause {
        reply: oneshot::Sender<()>,
    },
    /// After a pause.
    GoOn {
        reply: oneshot::Sender<()>,
    },
    /// A call over this connection waits for a permission that it lacks.
    PermissionNeeded(PermissionNeeded),
    /// A call waits no longer.
    PermissionAbandoned,
    /// The person said no.
    PermissionDeclined,
    SignIn {
        options: SignInOptions,
        reply: oneshot::Sender<Result<AuthorizationRequestView, ErrorView>>,
    },
    NextRedirect {
        reply: oneshot::Sender<Result<AuthorizationRequestView, ErrorView>>,
    },
    BrowserOpened,
    CancelSignIn {
        reply: oneshot::Sender<()>,
    },
    /// A sign-in of the run before, found in the secret store.
    Resume {
        pending: Box<PendingAuthorization>,
        reply: oneshot::Sender<()>,
    },
    Complete {
        response: AuthorizationResponse,
        reply: oneshot::Sender<Result<ServerId, ErrorView>>,
    },
    SignOut {
        reply: oneshot::Sender<Result<(), ErrorView>>,
    },
    SignedOut {
        outcome: Result<(), CredentialFault>,
        reply: oneshot::Sender<Result<(), ErrorView>>,
    },
    /// The secret store works again, or a secret was set.
    SecretsChanged {
        named: Option<String>,
    },
    /// A request over this connection failed.
    Failed {
        connection: Arc<Connection>,
        fault: Arc<Fault>,
    },
    /// The tools of this connection were listed.
    Listed {
        connection: Arc<Connection>,
    },
    /// The server says that one of its lists changed.
    ListChanged {
        connection: Arc<Connection>,
        list: List,
    },
    /// A tool's result says that the server does not take the sign-in, though it says so to nothing else.
    RefusedInResult {
        connection: Arc<Connection>,
    },
    /// And a later one does not say so.
    GoodResult {
        connection: Arc<Connection>,
    },
    /// This connection ended by itself.
    Ended {
        connection: Arc<Connection>,
    },
    GrantChanged,
    /// The sign-in cannot be kept fresh any more; from the renewal of that number.
    RenewalEnded {
        number: u64,
        fault: CredentialFault,
    },
    /// From one of the task's own jobs; one of an older generation is dropped.
    Done {
        generation: u64,
        outcome: Outcome,
    },
    Stop {
        reply: oneshot::Sender<()>,
    },
}

/// What a job of the task found.
pub(crate) enum Outcome {
    Step(SignInStep),
    Connected(Result<Opened, Fault>),
    Prepared(Result<Box<Prepared>, ErrorView>),
    /// The code is exchanged, and what it brought is kept.
    Exchanged(Result<(), Fault>),
    /// Time to try again, or to give up waiting.
    Due,
}

/// Whether a server can be used right now, for those who want to call it.
#[derive(Clone)]
pub(crate) enum Reach {
    /// Not yet, but it is being worked on.
    Busy,
    Up(Arc<Connection>),
    /// Tried again by itself, after a while.
    Away(ErrorView),
    Down(ErrorView),
}

/// Sends messages to one server's task. The task ends when it is told to.
pub(crate) struct ServerHandle {
    pub config: ServerConfig,
    inbox: mpsc::UnboundedSender<Message>,
    reach: watch::Receiver<Reach>,
    step_ups: Mutex<HashMap<String, StepUps>>,
    renewed_for_result: RenewedForResult,
    sign_in_offered: AtomicBool,
}

/// An operation that was answered with `insufficient_scope`, and with nothing else since.
#[derive(Default)]
struct StepUps {
    /// With so many different tokens.
    times: u32,
    token: Option<SecretString>,
}

/// More step-ups than this for one operation, and the server never means to be content.
const MAX_STEP_UPS: u32 = 3;

impl ServerHandle {
    pub fn start(config: ServerConfig, shared: Arc<Shared>) -> Self {
        let (inbox, reach) = task::spawn(&config, shared);
        Self {
            config,
            inbox,
            reach,
            step_ups: Mutex::default(),
            renewed_for_result: RenewedForResult::default(),
            sign_in_offered: AtomicBool::new(false),
        }
    }

    pub fn send(&self, message: Message) {
        // A task that has ended takes nothing any more, and its view is gone.
        let _ = self.inbox.send(message);
    }

    /// Sends a message that answers.
    pub async fn ask<T>(&self, message: impl FnOnce(oneshot::Sender<T>) -> Message) -> Option<T> {
        let (reply, answer) = oneshot::channel();
        self.send(message(reply));
        answer.await.ok()
    }

    /// The connection, as soon as there is one; the reason why there is none.
    pub async fn connection(&self, patience: Duration) -> Result<Arc<Connection>, ErrorView> {
        let mut reach = self.reach.clone();
        let settled = reach.wait_for(|reach| !matches!(reach, Reach::Busy));
        match tokio::time::timeout(patience, settled).await {
            Ok(Ok(reach)) => match &*reach {
                Reach::Up(connection) => Ok(Arc::clone(connection)),
                Reach::Away(error) | Reach::Down(error) => Err(error.clone()),
                Reach::Busy => Err(not_connected(&self.config.name)),
            },
            Ok(Err(_)) | Err(_) => Err(not_connected(&self.config.name)),
        }
    }

    /// The connection that comes after this one, where one may come by itself.
    pub async fn next_connection(
        &self,
        lost: &Arc<Connection>,
        patience: Duration,
    ) -> Option<Arc<Connection>> {
        let mut reach = self.reach.clone();
        let settled = |reach: &Reach| match reach {
            Reach::Up(connection) => !Arc::ptr_eq(connection, lost),
            Reach::Busy | Reach::Away(_) => false,
            Reach::Down(_) => true,
        };
        let found = tokio::time::timeout(patience, reach.wait_for(settled)).await.ok()?.ok()?.clone();
        match found {
            Reach::Up(connection) => Some(connection),
            Reach::Busy | Reach::Away(_) | Reach::Down(_) => None,
        }
    }

    /// Notes that an operation was refused for its scope; an error where consent did not help once too often.
    pub fn note_step_up(&self, operation: &str, token: Option<SecretString>) -> Result<(), ErrorView> {
        let mut step_ups = self.step_ups.lock().unwrap_or_else(PoisonError::into_inner);
        let refused = step_ups.entry(operation.to_owned()).or_default();
        // Only a new consent, and so a new token, makes another refusal tell something.
        if token.is_none() || !is_same(refused.token.as_ref(), token.as_ref()) {
            refused.times += 1;
            refused.token = token;
        }
        if refused.times > MAX_STEP_UPS {
            step_ups.remove(operation);
            return Err(never_content(&self.config.name));
        }
        Ok(())
    }

    /// The server let an operation through.
    pub fn content_with(&self, operation: &str) {
        self.step_ups.lock().unwrap_or_else(PoisonError::into_inner).remove(operation);
    }

    /// Whether this token came because a tool's result refused the one before: yet another would be refused, too.
    pub fn is_renewed_in_vain(&self, token: &SecretString) -> bool {
        self.renewed_for_result.is_in_vain(token)
    }

    pub fn note_renewed_for_result(&self, tool: &str, token: SecretString) {
        self.renewed_for_result.note(tool, token);
    }

    /// A tool's result refused the sign-in, and nothing helps but another one.
    pub fn offer_sign_in(&self, connection: Arc<Connection>) {
        self.sign_in_offered.store(true, Ordering::Relaxed);
        self.send(Message::RefusedInResult { connection });
    }

    /// A tool's result was as it should be: whatever refused the sign-in was not the server itself, or is over.
    pub fn good_result(&self, tool: &str, connection: &Arc<Connection>) {
        self.renewed_for_result.taken_by(tool);
        if self.sign_in_offered.swap(false, Ordering::Relaxed) {
            self.send(Message::GoodResult { connection: Arc::clone(connection) });
        }
    }

    pub async fn stop(&self) {
        self.ask(|reply| Message::Stop { reply }).await;
    }
}

fn is_same(one: Option<&SecretString>, other: Option<&SecretString>) -> bool {
    one.map(ExposeSecret::expose_secret) == other.map(ExposeSecret::expose_secret)
}

fn not_connected(name: &str) -> ErrorView {
    error(Code::ServerUnreachable, format!("{name} is not connected."), "Connect it, then try again.")
}
