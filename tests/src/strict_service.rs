//! A service on loopback that keeps strictly to its rules: authorization server and MCP server in one, whose refresh
//! tokens rotate, with a ledger of every token family and a say in when an answer breaks off.

mod authorize;
mod fault;
mod ledger;
mod mcp;
mod token;
mod wire;

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result};
use axum::Router;
use axum::routing::{get, post};

pub use fault::TokenFault;
pub use ledger::{FamilyId, Ledger, Outcome, Page, Refresh, Refusal, Standing};

use wire::{Wire, WireListener};

/// The rules of one service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StrictOptions {
    /// The life of an access token.
    pub life: Duration,
    /// How long a refresh token is still taken after its rotation. Zero: its second use ends the family.
    pub grace: Duration,
    /// Tokens of changing length, up to some thousand characters, as those are that say what they stand for.
    pub has_long_tokens: bool,
}

impl Default for StrictOptions {
    fn default() -> Self {
        StrictOptions { life: Duration::from_secs(3600), grace: Duration::ZERO, has_long_tokens: false }
    }
}

/// A moment in the life of one refresh, as the server sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Moment {
    /// The request is here, nothing is done yet. `carried_out`: it is done all the same, and nobody hears of it.
    Arrived { carried_out: bool },
    /// The request is here, and goes its way: its client is not gone yet.
    Passing,
    /// The token is rotated, no byte of the answer is sent.
    Committed,
    /// So many bytes of the answer are sent, and no more follow.
    InReply { after: usize },
    /// The whole answer is sent.
    Replied,
    /// The new access token came with an MCP request for the first time; the request is not answered.
    TokenUsed,
}

/// What is done at a moment, on the server's own thread.
pub type Strike = Box<dyn FnOnce() + Send>;

/// A running service; dropping it ends it.
#[derive(Debug)]
pub struct StrictService {
    shared: Arc<Shared>,
    server: tokio::task::JoinHandle<()>,
}

struct Shared {
    origin: String,
    ledger: Ledger,
    options: StrictOptions,
    issued: Mutex<authorize::Issued>,
    plans: Mutex<HashMap<FamilyId, Plan>>,
}

/// What the next refreshes of a family meet.
#[derive(Default)]
struct Plan {
    faults: VecDeque<TokenFault>,
    trap: Option<(Moment, Strike)>,
}

impl StrictService {
    /// Listens on a free port of 127.0.0.1.
    pub async fn start(options: StrictOptions) -> Result<StrictService> {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        let origin = format!("http://{}", listener.local_addr()?);
        let shared = Arc::new(Shared {
            origin,
            ledger: Ledger::new(options),
            options,
            issued: Mutex::default(),
            plans: Mutex::default(),
        });
        let router = Router::new()
            .route("/.well-known/oauth-protected-resource/mcp", get(authorize::resource_metadata))
            .route("/.well-known/oauth-authorization-server", get(authorize::server_metadata))
            .route("/register", post(authorize::register))
            .route("/authorize", get(authorize::authorize))
            .route("/token", post(token::token))
            .route("/mcp", post(mcp::post))
            .with_state(Arc::clone(&shared))
            .into_make_service_with_connect_info::<Wire>();
        let server = tokio::spawn(async move {
            if let Err(error) = axum::serve(WireListener(listener), router).await {
                eprintln!("the strict service ended: {error}");
            }
        });
        Ok(StrictService { shared, server })
    }

    /// The address of its MCP endpoint.
    pub fn url(&self) -> String {
        self.shared.resource()
    }

    /// The person in the browser: says yes at once. The address that the browser would be sent to.
    pub async fn consent(&self, authorization_url: &str) -> Result<String> {
        let http =
            reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).no_proxy().build()?;
        let answer = http.get(authorization_url).send().await?;
        let back = answer.headers().get("location").context("the service sent nobody back")?;
        Ok(back.to_str()?.to_owned())
    }

    /// Its memory of every token.
    pub fn ledger(&self) -> &Ledger {
        &self.shared.ledger
    }

    /// The refreshes of a family after those that are planned already meet this.
    pub fn add_fault(&self, family: FamilyId, fault: TokenFault) {
        self.shared.plans().entry(family).or_default().faults.push_back(fault);
    }

    /// How many planned faults a family has not met yet.
    pub fn faults_ahead(&self, family: FamilyId) -> usize {
        self.shared.plans().get(&family).map_or(0, |plan| plan.faults.len())
    }

    /// The next time that `moment` comes for this family, `strike` is called, and the service then acts as if its
    /// client were gone (save for [`Moment::Passing`]). One trap a family; a new one takes the place of the old.
    pub fn set_trap(&self, family: FamilyId, moment: Moment, strike: Strike) {
        self.shared.plans().entry(family).or_default().trap = Some((moment, strike));
    }

    /// Takes a trap away that was not sprung.
    pub fn clear_trap(&self, family: FamilyId) {
        self.shared.plans().entry(family).or_default().trap = None;
    }
}

impl Drop for StrictService {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl Shared {
    fn resource(&self) -> String {
        format!("{}/mcp", self.origin)
    }

    fn plans(&self) -> MutexGuard<'_, HashMap<FamilyId, Plan>> {
        self.plans.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn issued(&self) -> MutexGuard<'_, authorize::Issued> {
        self.issued.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn next_fault(&self, family: FamilyId) -> Option<TokenFault> {
        self.plans().get_mut(&family)?.faults.pop_front()
    }

    /// Takes the trap of a family, if it is set for such a moment.
    fn take_trap(&self, family: FamilyId, is_now: impl Fn(Moment) -> bool) -> Option<(Moment, Strike)> {
        self.plans().get_mut(&family)?.trap.take_if(|(moment, _)| is_now(*moment))
    }
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared").field("origin", &self.origin).finish_non_exhaustive()
    }
}
