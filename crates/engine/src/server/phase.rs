//! The private state of a server's task: what it holds in each state of the server's life.

use std::sync::Arc;

use jiff::Timestamp;
use rmcp::model::Tool;
use tokio::sync::oneshot;
use tokio::task::AbortHandle;
use tokio_util::sync::CancellationToken;
use usher_oauth::PendingAuthorization;

use crate::connection::Connection;
use crate::sign_in::flows::OpenFlow;
use crate::sign_in::loopback::Listening;
use crate::{
    AuthorizationRequestView, ErrorView, NeedsSignIn, RedirectKind, ServerId, SignInOptions, SignInStep,
};

pub(super) enum Phase {
    Disabled,
    Paused,
    Unsupported {
        why: String,
    },
    Connecting {
        job: Job,
    },
    NeedsSignIn {
        reason: NeedsSignIn,
    },
    SigningIn(Box<SignIn>),
    Connected(Live),
    Reconnecting {
        attempt: u32,
        next_at: Timestamp,
        why: ErrorView,
        /// It waits because the sign-in could not be renewed: once that is done it need not wait.
        for_renewal: bool,
        job: Job,
    },
    Failed {
        error: ErrorView,
        /// What a portal, a proxy or a bad release of the service may have caused passes by itself.
        next_try: Option<Job>,
    },
}

/// A connection with what is known of it.
pub(super) struct Live {
    pub connection: Arc<Connection>,
    pub tools: Arc<Vec<Tool>>,
    pub since: Timestamp,
    /// What will take its place, where it may be dead.
    pub successor: Option<Job>,
}

/// One sign-in, from the click to the listed tools.
pub(super) struct SignIn {
    pub stage: Stage,
    pub options: SignInOptions,
    /// What still works while more permission is asked for.
    pub live: Option<Live>,
    pub opened: Option<Timestamp>,
    pub host: Option<String>,
    pub redirect: Option<RedirectKind>,
    pub expires_at: Option<Timestamp>,
    /// The job of the stage; ended with the sign-in.
    pub job: Option<Job>,
}

pub(super) type Asked = oneshot::Sender<Result<AuthorizationRequestView, ErrorView>>;
pub(super) type Told = oneshot::Sender<Result<ServerId, ErrorView>>;

pub(super) enum Stage {
    /// The first request to the server, which brings its challenge.
    Probing {
        reply: Asked,
    },
    Preparing {
        step: SignInStep,
        reply: Asked,
    },
    Waiting(Waiting),
    Exchanging {
        reply: Told,
        used: Used,
    },
    /// The token is kept; the first list is under way.
    Connecting {
        reply: Told,
        used: Used,
    },
}

/// In the browser's hands.
pub(super) struct Waiting {
    pub pending: Box<PendingAuthorization>,
    /// If nobody comes back, the registration may be the reason.
    pub reused_registration: bool,
    pub listening: Option<Listening>,
    pub _flow: OpenFlow,
}

/// What is remembered of a sign-in that worked.
pub(super) struct Used {
    pub issuer: usher_oauth::Issuer,
    pub redirect: RedirectKind,
    /// The sign-in ended while the code was exchanged: what it brings is not kept.
    pub given_up: CancellationToken,
    pub _listening: Option<Listening>,
}

/// Ends its task when dropped.
#[derive(Debug)]
pub(super) struct Job(pub AbortHandle);

impl Drop for Job {
    fn drop(&mut self) {
        self.0.abort();
    }
}
