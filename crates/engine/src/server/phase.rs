//! The phases of a server, and the data of each phase.

use std::sync::Arc;

use jiff::Timestamp;
use tokio::sync::oneshot;
use tokio_util::sync::{CancellationToken, DropGuard};
use usher_api::{DeviceSignInView, ErrorView, NeedsSignIn, RedirectKind, ServerId, SignInStep};
use usher_oauth::PendingAuthorization;

use super::jobs::Job;
use super::message::RequestReply;
use super::transitions::{State, is_allowed};
use crate::connection::Connection;
use crate::connection::offers::Offer;
use crate::endpoint::http::HttpEndpoint;
use crate::options::SignInOptions;
use crate::sign_in::callback::CallbackRegistration;
use crate::sign_in::loopback::{LoopbackServer, ReservedPort};

#[derive(Default)]
pub(super) enum Phase {
    /// Turned off in `mcp.json`, or disconnected by the person.
    #[default]
    Disabled,
    /// The person paused all servers.
    Paused,
    /// A connection is being opened, and no attempt has failed yet.
    Connecting { job: Job },
    /// Only a sign-in helps.
    NeedsSignIn { reason: NeedsSignIn },
    /// A sign-in is running. A connection may stay in use meanwhile.
    SigningIn(Box<SignIn>),
    /// The tools are listed.
    Connected(Live),
    /// A retry follows automatically.
    Reconnecting {
        attempt: u32,
        next_at: Timestamp,
        why: ErrorView,
        /// Whether a failed refresh is the reason. If so, a successful refresh ends the backoff.
        for_refresh: bool,
        job: Job,
    },
    /// The server failed, and most likely a person must change something.
    Failed {
        error: ErrorView,
        attempt: u32,
        /// The retry, if a captive portal, a proxy or a faulty release of the service may be the reason.
        next_try: Option<Job>,
    },
}

/// A connection and its tools.
pub(super) struct Live {
    pub connection: Arc<Connection>,
    pub tools: Arc<Vec<Offer>>,
    pub since: Timestamp,
    /// The job that opens a replacement, if this connection may be dead.
    successor: Option<Job>,
    /// Whether this connection was announced to callers, whose lists from an earlier connection may be out of date.
    is_announced: bool,
}

/// One sign-in, from the person's request to the list of tools.
pub(super) struct SignIn {
    pub endpoint: Arc<HttpEndpoint>,
    pub stage: Stage,
    pub options: SignInOptions,
    /// The connection that stays in use during the sign-in.
    pub live: Option<Live>,
    pub opened: Option<Timestamp>,
    pub host: Option<String>,
    pub redirect: Option<RedirectKind>,
    pub expires_at: Option<Timestamp>,
    /// The stage's job. It ends with the sign-in.
    pub job: Option<Job>,
}

pub(super) enum Stage {
    /// The first request to the server, which returns its challenge.
    Probing { reply: RequestReply },
    /// Discovery and registration.
    Preparing { step: SignInStep, reply: RequestReply },
    /// The browser has the authorization request.
    Waiting(Waiting),
    /// The person enters a code on another device. A job polls for the grant.
    WaitingForDevice(WaitingDevice),
    /// The code is being exchanged, or a grant without a person is being stored. Without a callback, no caller waits for
    /// the result.
    Exchanging { reply: Option<CallbackReply>, used: Used },
    /// The grant is stored; the first list is being requested.
    Connecting { reply: Option<CallbackReply>, used: Used },
}

pub(super) type CallbackReply = oneshot::Sender<Result<ServerId, ErrorView>>;

pub(super) struct Waiting {
    pub pending: Box<PendingAuthorization>,
    /// Whether the registration is from an earlier sign-in. If no callback arrives, an old registration may be the
    /// reason.
    pub reused_registration: bool,
    pub port: Port,
    pub callback_registration: CallbackRegistration,
}

pub(super) struct WaitingDevice {
    pub view: DeviceSignInView,
    pub issuer: usher_oauth::Issuer,
    /// Whether the registration is from an earlier sign-in.
    pub reused_registration: bool,
    /// Cancelled if the sign-in ends. The grant is then not stored.
    pub given_up: CancellationToken,
    /// Ends the polls when this value is dropped.
    pub _polls: DropGuard,
}

/// The port of the redirect. It is free again when this value is dropped.
pub(super) enum Port {
    None,
    Served(#[expect(dead_code, reason = "kept until the sign-in ends")] LoopbackServer),
    Reserved(#[expect(dead_code, reason = "kept until the sign-in ends")] ReservedPort),
}

/// The issuer and the redirect to learn if the sign-in succeeds, and the resources that the exchange needs.
pub(super) struct Used {
    pub issuer: usher_oauth::Issuer,
    /// `None` if the sign-in had no redirect.
    pub redirect: Option<RedirectKind>,
    /// Cancelled if the sign-in ends during the exchange. The grant is then not stored.
    pub given_up: CancellationToken,
    /// Whether the registration is from an earlier sign-in.
    pub reused_registration: bool,
    pub _port: Port,
}

impl Live {
    pub fn new(connection: Arc<Connection>, tools: Arc<Vec<Offer>>, since: Timestamp) -> Self {
        Self { connection, tools, since, successor: None, is_announced: false }
    }
}

impl WaitingDevice {
    /// Returns the values that the rest of the sign-in needs.
    pub fn used(self) -> Used {
        Used {
            issuer: self.issuer,
            redirect: None,
            given_up: self.given_up,
            reused_registration: self.reused_registration,
            _port: Port::None,
        }
    }
}

impl SignIn {
    pub fn new(
        endpoint: Arc<HttpEndpoint>,
        stage: Stage,
        options: SignInOptions,
        live: Option<Live>,
    ) -> Self {
        let (opened, host, redirect, expires_at, job) = (None, None, None, None, None);
        Self { endpoint, stage, options, live, opened, host, redirect, expires_at, job }
    }
}

impl Phase {
    fn state(&self) -> State {
        match self {
            Self::Disabled => State::Disabled,
            Self::Paused => State::Paused,
            Self::Connecting { .. } => State::Connecting,
            Self::NeedsSignIn { .. } => State::NeedsSignIn,
            Self::SigningIn(_) => State::SigningIn,
            Self::Connected(_) => State::Connected,
            Self::Reconnecting { .. } => State::Reconnecting,
            Self::Failed { .. } => State::Failed,
        }
    }
}

/// The current phase. Only this type changes it.
#[derive(Default)]
pub(super) struct CurrentPhase {
    phase: Phase,
    /// The state of the phase. It stays while the phase is taken, so that the next transition is still checked.
    state: State,
}

impl CurrentPhase {
    pub fn get(&self) -> &Phase {
        &self.phase
    }

    /// Enters another phase. The current phase and its contents are dropped.
    pub fn enter(&mut self, next: Phase) {
        let to = next.state();
        debug_assert!(is_allowed(self.state, to), "{:?} → {to:?} is not in the table", self.state);
        self.state = to;
        self.phase = next;
    }

    /// Takes the phase. The caller must enter another one.
    pub fn take(&mut self) -> Phase {
        std::mem::take(&mut self.phase)
    }

    /// Takes the connection if the server is connected. The caller must enter another phase.
    pub fn take_live(&mut self) -> Option<Live> {
        match self.take() {
            Phase::Connected(live) => Some(live),
            _ => None,
        }
    }

    /// Takes the running sign-in, if any. If there is one, the caller must enter another phase.
    pub fn take_sign_in(&mut self) -> Option<SignIn> {
        match self.take() {
            Phase::SigningIn(sign_in) => Some(*sign_in),
            phase => {
                self.phase = phase;
                None
            }
        }
    }

    pub fn sign_in_mut(&mut self) -> Option<&mut SignIn> {
        match &mut self.phase {
            Phase::SigningIn(sign_in) => Some(sign_in),
            _ => None,
        }
    }

    /// Returns the connection in use.
    pub fn connection(&self) -> Option<Arc<Connection>> {
        let live = match &self.phase {
            Phase::Connected(live) => Some(live),
            Phase::SigningIn(sign_in) => sign_in.live.as_ref(),
            Phase::Disabled
            | Phase::Paused
            | Phase::Connecting { .. }
            | Phase::NeedsSignIn { .. }
            | Phase::Reconnecting { .. }
            | Phase::Failed { .. } => None,
        };
        live.map(|live| Arc::clone(&live.connection))
    }

    pub fn is_current(&self, connection: &Arc<Connection>) -> bool {
        self.connection().is_some_and(|current| Arc::ptr_eq(&current, connection))
    }

    /// Returns the number of failed attempts in a row.
    pub fn attempt(&self) -> u32 {
        match &self.phase {
            Phase::Reconnecting { attempt, .. } | Phase::Failed { attempt, .. } => *attempt,
            Phase::Disabled
            | Phase::Paused
            | Phase::Connecting { .. }
            | Phase::NeedsSignIn { .. }
            | Phase::SigningIn(_)
            | Phase::Connected(_) => 0,
        }
    }

    pub fn reset_attempts(&mut self) {
        if let Phase::Reconnecting { attempt, .. } | Phase::Failed { attempt, .. } = &mut self.phase {
            *attempt = 0;
        }
    }

    /// Replaces the running attempt, or the backoff, with a job that tries again. The status does not change before the outcome.
    pub fn retry(&mut self, retry: Job) {
        match &mut self.phase {
            Phase::Reconnecting { job, for_refresh, .. } => {
                *job = retry;
                *for_refresh = false;
            }
            Phase::Failed { next_try, .. } => *next_try = Some(retry),
            Phase::Connecting { job } => *job = retry,
            Phase::Disabled
            | Phase::Paused
            | Phase::NeedsSignIn { .. }
            | Phase::SigningIn(_)
            | Phase::Connected(_) => {}
        }
    }

    /// Stores the job that opens a replacement for the current connection. The current one stays in use until the
    /// replacement is open.
    pub fn replace_connection(&mut self, job: Job) {
        if let Phase::Connected(live) = &mut self.phase {
            live.successor = Some(job);
        }
    }

    pub fn set_tools(&mut self, connection: &Arc<Connection>, tools: Arc<Vec<Offer>>) {
        if let Some(live) = self.live_mut()
            && Arc::ptr_eq(&live.connection, connection)
        {
            live.tools = tools;
        }
    }

    /// Returns the tools, and whether the connection is new since the last call.
    pub fn announce(&mut self) -> Option<(Arc<Vec<Offer>>, bool)> {
        let live = self.live_mut()?;
        let is_new = !std::mem::replace(&mut live.is_announced, true);
        Some((Arc::clone(&live.tools), is_new))
    }

    fn live_mut(&mut self) -> Option<&mut Live> {
        match &mut self.phase {
            Phase::Connected(live) => Some(live),
            Phase::SigningIn(sign_in) => sign_in.live.as_mut(),
            _ => None,
        }
    }
}
