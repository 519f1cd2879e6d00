//! The messages that a server's task receives.

use std::sync::Arc;

use tokio::sync::oneshot;
use usher_api::{ErrorView, SignInRequest, SignInStep};
use usher_config::{Placeholder, PlaceholderUse};
use usher_oauth::{Challenge, DeviceAuthorization, PendingAuthorization};

use crate::connection::fault::Fault;
use crate::connection::watch::Report;
use crate::connection::{Connection, Opened};
use crate::credentials::fault::CredentialFault;
use crate::options::SignInOptions;
use crate::sign_in::callback::Callback;
use crate::sign_in::prepare::PreparedSignIn;

/// The sender for what a sign-in asks of the person.
pub(crate) type RequestReply = oneshot::Sender<Result<SignInRequest, ErrorView>>;

pub(crate) type SignOutReply = oneshot::Sender<Result<(), ErrorView>>;

/// A message for the task. The sender need not wait for the effect.
pub(crate) enum Message {
    /// The person connects the server.
    Connect(oneshot::Sender<()>),
    /// The person disconnects the server.
    Disconnect(oneshot::Sender<()>),
    /// The computer woke or the network returned. Connections may be dead, and backoffs are pointless.
    Reconnect,
    /// The person paused or resumed all servers.
    PauseChanged(oneshot::Sender<()>),
    /// A call waits for a permission.
    PermissionNeeded(PermissionNeeded),
    /// A call no longer waits for its permission.
    PermissionAbandoned,
    /// The person declined the permission.
    PermissionDeclined,
    /// The person signs in.
    SignIn { options: SignInOptions, reply: RequestReply },
    /// The page in the browser shows an error, so the sign-in starts again with the next redirect.
    NextRedirect(RequestReply),
    /// The browser was opened.
    BrowserOpened,
    /// The person cancels the sign-in.
    CancelSignIn(oneshot::Sender<()>),
    /// A pending request of the previous run was found in the secret store.
    RestorePending { pending: Box<PendingAuthorization>, reply: oneshot::Sender<()> },
    /// A sign-in of the previous run that waits for another device was found in the secret store.
    RestoreDevice(Box<DeviceAuthorization>),
    /// The callback of the waiting sign-in was received.
    CallbackReceived(Callback),
    /// The person signs out.
    SignOut(SignOutReply),
    /// The grant was deleted, or could not be deleted.
    SignedOut { outcome: Result<(), CredentialFault>, reply: SignOutReply },
    /// The secret store works again (`None`), or the value of this placeholder was set or withdrawn.
    SecretsChanged(Option<Placeholder>),
    /// The person withdrew the permission for this use of a secret.
    SecretDisallowed(PlaceholderUse),
    /// The person deleted this secret.
    SecretDeleted(Placeholder),
    /// The person allowed a secret for another origin.
    SecretAllowed,
    /// The person approves the launch of the program with this digest.
    Approve { digest: String, reply: oneshot::Sender<Result<(), ErrorView>> },
    /// The approval was stored, or could not be stored.
    Approved { outcome: Result<(), ErrorView>, reply: oneshot::Sender<Result<(), ErrorView>> },
    /// The lines of the program's output are read.
    Log(oneshot::Sender<Result<Vec<String>, ErrorView>>),
    /// An observation about a connection.
    Reported { connection: Arc<Connection>, report: Report },
    /// The grant in memory changed or ended.
    GrantChanged,
    /// A value shown in the view was changed outside the task.
    Publish,
    /// The refresh job with this number found that the grant cannot be refreshed any more.
    RefreshEnded { number: u64, fault: CredentialFault },
    /// The outcome of one of the task's jobs. An outcome of an older generation is ignored.
    Done { generation: u64, outcome: Outcome },
    /// The task ends.
    Stop(oneshot::Sender<()>),
}

/// The outcome of a job.
pub(crate) enum Outcome {
    Step(SignInStep),
    Connected(Result<Opened, Fault>),
    Prepared(Result<Box<PreparedSignIn>, ErrorView>),
    /// The result of exchanging the code, or of waiting for another device, and of storing the grant.
    Exchanged(Result<(), Fault>),
    /// A backoff or the sign-in's deadline has ended.
    Due,
}

/// A call that failed with `insufficient_scope` and waits for the permission.
pub(crate) struct PermissionNeeded {
    pub challenge: Box<Challenge>,
    /// The tool's title.
    pub tool_title: String,
    /// Receives the result. It is closed if the caller no longer waits.
    pub reply: oneshot::Sender<Result<(), ErrorView>>,
}
