//! The state of a running service, shared by its endpoints.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use axum::response::{IntoResponse, Response};
use serde_json::Value;
use tokio::sync::Notify;

use crate::clients::Clients;
use crate::lock::lock;
use crate::token_fault::Plan;
use crate::token_gate::TokenGate;
use crate::wire::Action;
use crate::{FamilyId, Ledger, Moment, Options, Reply, Request, TokenFault};

type Intercept = Arc<dyn Fn(&Request) -> Option<Response> + Send + Sync>;

pub(crate) struct Shared {
    pub origin: String,
    pub options: Options,
    /// Whether unscripted requests reach the endpoints of this crate.
    pub has_endpoints: bool,
    pub ledger: Ledger,
    pub clients: Mutex<Clients>,
    pub plans: Mutex<HashMap<FamilyId, Plan>>,
    pub gate: TokenGate,
    pub script: Mutex<Script>,
    pub requests: Mutex<Vec<Request>>,
    handshakes: AtomicUsize,
    pub recorded: Notify,
}

#[derive(Default)]
pub(crate) struct Script {
    pub replies: HashMap<String, VecDeque<Reply>>,
    pub intercept: Option<Intercept>,
    pub metadata_changes: Value,
}

impl Shared {
    pub fn new(origin: String, options: Options, has_endpoints: bool) -> Shared {
        Shared {
            origin,
            options,
            has_endpoints,
            ledger: Ledger::new(options),
            clients: Mutex::default(),
            plans: Mutex::default(),
            gate: TokenGate::default(),
            script: Mutex::default(),
            requests: Mutex::default(),
            handshakes: AtomicUsize::default(),
            recorded: Notify::new(),
        }
    }

    pub fn resource(&self) -> String {
        format!("{}/mcp", self.origin)
    }

    pub fn record(&self, mut request: Request) -> Request {
        let added = usize::from(request.rpc_method() == "initialize");
        request.handshakes = self.handshakes.fetch_add(added, Ordering::SeqCst) + added;
        lock(&self.requests).push(request.clone());
        self.recorded.notify_waiters();
        request
    }

    pub fn scripted(&self, request: &Request) -> Option<Response> {
        let intercept = {
            let mut script = lock(&self.script);
            if let Some(replies) = script.replies.get_mut(&request.line) {
                let reply = if replies.len() > 1 { replies.pop_front() } else { replies.front().cloned() };
                return reply.map(Reply::into_response);
            }
            script.intercept.clone()?
        };
        intercept(request)
    }

    pub fn next_fault(&self, family: FamilyId) -> Option<TokenFault> {
        lock(&self.plans).get_mut(&family)?.faults.pop_front()
    }

    /// Takes the breakpoint of a family if `is_now` returns true for its moment.
    pub fn take_breakpoint(
        &self,
        family: FamilyId,
        is_now: impl Fn(Moment) -> bool,
    ) -> Option<(Moment, Action)> {
        lock(&self.plans).get_mut(&family)?.breakpoint.take_if(|(moment, _)| is_now(*moment))
    }
}
