//! One client: its requests and their responses.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde_json::{Map, Value, json};
use tokio::sync::broadcast::error::RecvError;
use tokio_util::sync::CancellationToken;
use usher_api::{CallingProgram, Code, ServerId};
use usher_engine::{CallError, CallOptions, Engine, ListName, Progress, RelayedRequest};

use crate::announcements::Announcements;
use crate::definition_files::Items;
use crate::definitions::{Change, Definitions};
use crate::era::{Era, REVISIONS};
use crate::members::{Members, quoted};
use crate::offers::{Offers, Route};
use crate::outbox::Outbox;
use crate::rpc::{
    Failure, INVALID_PARAMS, INVALID_REQUEST, Incoming, NO_RESPONSE, Request, notification, response,
};
use crate::running::{CannotRun, RunningRequests};
use crate::sign_in_tool;
use crate::target::Target;
use crate::words;

/// How long a call may take without progress. The client has a shorter limit of its own, and cancels the call.
const CALL_TIMEOUT: Duration = Duration::from_secs(60 * 60);
/// How long a call waits for a missing permission. Clients give up after 60 seconds.
const PERMISSION_TIMEOUT: Duration = Duration::from_secs(40);

/// How long changes are collected before they are announced.
const ANNOUNCEMENT_DELAY: Duration = Duration::from_millis(300);

/// The server's introduction of itself in `initialize` and `server/discover`.
const NAME: &str = "usher";

/// One client of the gateway.
#[derive(Clone)]
pub(crate) struct Client(Arc<Inner>);

struct Inner {
    engine: Engine,
    definitions: Definitions,
    target: Target,
    /// The name of the client, for the person.
    label: String,
    outbox: Outbox,
    running: RunningRequests,
    announcements: Announcements,
    calls: AtomicU64,
}

impl Client {
    pub fn new(
        engine: Engine,
        definitions: Definitions,
        target: Target,
        label: String,
        outbox: Outbox,
    ) -> Self {
        let (running, announcements) = (RunningRequests::default(), Announcements::default());
        let calls = AtomicU64::new(0);
        Self(Arc::new(Inner { engine, definitions, target, label, outbox, running, announcements, calls }))
    }

    /// Handles a message. Requests run in tasks of their own.
    pub async fn receive(&self, line: &str) {
        match Incoming::parse(line) {
            Ok(Incoming::Request(request)) => self.begin(request).await,
            Ok(Incoming::Notification { method, params }) => self.note(&method, params.as_deref()),
            // The gateway has sent no request.
            Ok(Incoming::Response) => {}
            Err(failure) => self.refuse(failure).await,
        }
    }

    /// Answers a message that could not be read.
    pub async fn refuse(&self, failure: Failure) {
        self.0.outbox.send(response("null", Err(failure))).await;
    }

    async fn begin(&self, request: Request) {
        let running = match self.0.running.begin(&request.id) {
            Ok(running) => running,
            Err(why) => {
                let why = match why {
                    CannotRun::IdInUse => "a request with this id is already running",
                    CannotRun::TooMany => "too many requests are running",
                };
                let failure = Failure::new(INVALID_REQUEST, why);
                return self.0.outbox.send(response(&request.id, Err(failure))).await;
            }
        };
        let client = self.clone();
        tokio::spawn(async move {
            let outcome = client.handle(&request, &running.cancelled).await;
            let is_cancelled = running.cancelled.is_cancelled();
            drop(running);
            // A cancelled request gets no response.
            if !is_cancelled {
                client.0.outbox.send(response(&request.id, outcome)).await;
            }
        });
    }

    /// Cancels all requests, because the client has gone.
    pub fn cancel_all(&self) {
        self.0.running.cancel_all();
    }

    /// Announces the changes of the client's lists until it goes.
    pub async fn announce_changes(self) {
        let mut changes = self.0.definitions.subscribe();
        loop {
            let first = match changes.recv().await {
                Ok(change) => Some(change),
                Err(RecvError::Lagged(_)) => None,
                Err(RecvError::Closed) => return,
            };
            // Several changes often come at once, for example after a reconnect.
            tokio::time::sleep(ANNOUNCEMENT_DELAY).await;
            let rest = std::iter::from_fn(|| changes.try_recv().ok());
            let changed: Vec<_> = first.into_iter().chain(rest).collect();
            let servers = self.0.target.servers(&self.0.engine);
            let concerns =
                |change: &Change| change.server.as_ref().is_none_or(|server| servers.contains(server));
            let lists: BTreeSet<ListName> =
                changed.iter().filter(|change| concerns(change)).map(|change| change.list).collect();
            for list in lists {
                let offers = self.offers(list).await;
                if self.0.announcements.is_news(list, &offers.json) {
                    for line in self.0.announcements.of(list) {
                        self.0.outbox.send(line).await;
                    }
                }
            }
        }
    }

    fn note(&self, method: &str, params: Option<&str>) {
        if method == "notifications/cancelled"
            && let Some(params) = params.and_then(Members::parse)
            && let Some(id) = params.get("requestId")
        {
            self.0.running.cancel(id);
        }
    }

    async fn handle(&self, request: &Request, cancelled: &CancellationToken) -> Result<String, Failure> {
        let params = request.params()?;
        let meta = params.get("_meta").and_then(Members::parse);
        let era = Era::of_request(meta.as_ref())?;
        let result = match (request.method.as_str(), era) {
            ("initialize", _) => self.initialize(&params).await,
            ("server/discover", _) => return Ok(self.discover().await),
            ("ping" | "logging/setLevel", Era::Legacy) => "{}".to_owned(),
            ("tools/list", _) => self.list(ListName::Tools).await,
            ("resources/list", _) => self.list(ListName::Resources).await,
            ("resources/templates/list", _) => self.list(ListName::ResourceTemplates).await,
            ("prompts/list", _) => self.list(ListName::Prompts).await,
            ("tools/call", _) => self.call_tool(request, params.clone(), meta.as_ref(), cancelled).await?,
            ("resources/read" | "prompts/get" | "completion/complete", _) => {
                self.relay(request, params.clone(), meta.as_ref(), cancelled).await?
            }
            ("subscriptions/listen", Era::Modern) => {
                return self.0.announcements.listen(&self.0.outbox, &request.id, &params, cancelled).await;
            }
            (method, _) => return Err(Failure::unknown_method(method)),
        };
        let cacheable = request.method.ends_with("/list") || request.method == "resources/read";
        Ok(era.result(&result, cacheable))
    }

    async fn initialize(&self, params: &Members<'_>) -> String {
        self.0.announcements.use_legacy();
        let revision = Era::revision_for(&params.text("protocolVersion").unwrap_or_default());
        let mut result = json!({
            "protocolVersion": revision,
            "capabilities": self.capabilities(),
            "serverInfo": self.server_info(),
        });
        if let Some(instructions) = self.instructions().await {
            result["instructions"] = instructions.into();
        }
        result.to_string()
    }

    async fn discover(&self) -> String {
        let mut result = json!({
            "resultType": "complete",
            "supportedVersions": REVISIONS,
            "capabilities": self.capabilities(),
            "ttlMs": 0,
            "cacheScope": "private",
            "_meta": { "io.modelcontextprotocol/serverInfo": self.server_info() },
        });
        if let Some(instructions) = self.instructions().await {
            result["instructions"] = instructions.into();
        }
        result.to_string()
    }

    /// The capabilities are the same for each target, because servers come and go while the client is connected.
    fn capabilities(&self) -> Value {
        json!({
            "tools": { "listChanged": true },
            "resources": { "listChanged": true },
            "prompts": { "listChanged": true },
            "completions": {},
        })
    }

    fn server_info(&self) -> Value {
        let title = match &self.0.target {
            Target::One(id) => self.0.engine.server(id).map_or(id.0.clone(), |view| view.name),
            Target::Group(name) => name.clone(),
            Target::All => "Usher".to_owned(),
        };
        json!({ "name": NAME, "title": title, "version": env!("CARGO_PKG_VERSION") })
    }

    /// The instructions of the servers. Of several servers, each gets a heading.
    async fn instructions(&self) -> Option<String> {
        let mut instructions = Vec::new();
        for server in self.0.target.servers(&self.0.engine) {
            let introduction = self.0.definitions.introduction(&self.0.engine, &server).await;
            if let Some(text) = introduction.and_then(|introduction| introduction.instructions) {
                instructions.push(words::instructions(&server, &text, self.0.target.joins_names()));
            }
        }
        let joined = instructions.join("\n\n");
        (!joined.is_empty()).then_some(joined)
    }

    async fn list(&self, list: ListName) -> String {
        let offers = self.offers(list).await;
        self.0.announcements.note_seen(list, &offers.json);
        format!("{{{}:{}}}", quoted(list.field()), offers.json)
    }

    /// Joins the lists of the target's servers. A server that does not respond delays no other.
    pub(crate) async fn offers(&self, list: ListName) -> Offers {
        let servers = self.0.target.servers(&self.0.engine);
        let lists = servers.iter().map(|server| self.0.definitions.list(&self.0.engine, server, list));
        let lists = futures::future::join_all(lists).await;
        let stand_in = |server: &ServerId, items: Items| {
            let has_none = list == ListName::Tools && items.is_empty();
            let stand_in = if has_none { sign_in_tool::stand_in(&self.0.engine, server) } else { None };
            stand_in.unwrap_or(items)
        };
        let servers: Vec<_> = servers
            .into_iter()
            .zip(lists)
            .map(|(server, items)| (server.clone(), stand_in(&server, items)))
            .collect();
        Offers::join(list, &servers, self.0.target.joins_names())
    }

    async fn call_tool(
        &self,
        request: &Request,
        mut params: Members<'_>,
        meta: Option<&Members<'_>>,
        cancelled: &CancellationToken,
    ) -> Result<String, Failure> {
        let name = params.text("name").ok_or_else(|| missing("name"))?;
        let route = self.route(ListName::Tools, &name).await?;
        params.set("name", quoted(&route.key));
        if route.key == sign_in_tool::NAME {
            return tokio::select! {
                result = sign_in_tool::call(&self.0.engine, &route.server) => Ok(result.to_string()),
                () = cancelled.cancelled() => Ok(String::new()),
            };
        }
        match self.send(&route.server, request, &params, meta, cancelled).await {
            Ok(result) => Ok(result),
            Err(CallError { rpc: Some(error), .. }) => Err(error.into()),
            // The model reads a result. Clients show an error of the protocol as a broken server.
            Err(CallError { error, rpc: None }) => {
                let view = self.0.engine.server(&route.server).filter(|_| error.code == Code::SignInRequired);
                let text = view.map_or_else(|| words::sentence(&error), |view| words::sign_in_needed(&view));
                Ok(sign_in_tool::result(&text, true).to_string())
            }
        }
    }

    /// Sends a request that refers to a prompt or a resource.
    async fn relay(
        &self,
        request: &Request,
        mut params: Members<'_>,
        meta: Option<&Members<'_>>,
        cancelled: &CancellationToken,
    ) -> Result<String, Failure> {
        let server = match request.method.as_str() {
            "prompts/get" => {
                let name = params.text("name").ok_or_else(|| missing("name"))?;
                let route = self.route(ListName::Prompts, &name).await?;
                params.set("name", quoted(&route.key));
                route.server
            }
            "resources/read" => {
                let uri = params.text("uri").ok_or_else(|| missing("uri"))?;
                self.resource_server(&uri).await?
            }
            _ => {
                let reference = params.get("ref").ok_or_else(|| missing("ref"))?.to_owned();
                let mut reference = Members::parse(&reference).ok_or_else(|| missing("ref"))?;
                match (reference.text("name"), reference.text("uri")) {
                    (Some(name), _) => {
                        let route = self.route(ListName::Prompts, &name).await?;
                        reference.set("name", quoted(&route.key));
                        params.set("ref", reference.to_json());
                        route.server
                    }
                    (None, Some(uri)) => self.resource_server(&uri).await?,
                    (None, None) => return Err(missing("ref")),
                }
            }
        };
        self.send(&server, request, &params, meta, cancelled).await.map_err(|error| match error.rpc {
            Some(rpc) => rpc.into(),
            None => Failure::new(NO_RESPONSE, words::sentence(&error.error)),
        })
    }

    /// Returns the server of a tool or prompt, and its own name there.
    async fn route(&self, list: ListName, name: &str) -> Result<Route, Failure> {
        if let Target::One(server) = &self.0.target {
            return Ok(Route { server: server.clone(), key: name.to_owned() });
        }
        let offers = self.offers(list).await;
        offers.route(name).cloned().ok_or_else(|| {
            Failure::new(INVALID_PARAMS, format!("there is no tool or prompt named {}", quoted(name)))
        })
    }

    /// Returns the server of a resource.
    async fn resource_server(&self, uri: &str) -> Result<ServerId, Failure> {
        if let Target::One(server) = &self.0.target {
            return Ok(server.clone());
        }
        if let Some(route) = self.offers(ListName::Resources).await.route(uri) {
            return Ok(route.server.clone());
        }
        let templates = self.offers(ListName::ResourceTemplates).await;
        let route = templates.route(uri).or_else(|| templates.route_of_template(uri));
        route
            .map(|route| route.server.clone())
            .ok_or_else(|| Failure::new(INVALID_PARAMS, format!("there is no resource {}", quoted(uri))))
    }

    async fn send(
        &self,
        server: &ServerId,
        request: &Request,
        params: &Members<'_>,
        meta: Option<&Members<'_>>,
        cancelled: &CancellationToken,
    ) -> Result<String, CallError> {
        let params: Map<String, Value> = serde_json::from_str(&params.to_json()).unwrap_or_default();
        let token = meta.and_then(|meta| meta.get("progressToken")).map(str::to_owned);
        let outbox = self.0.outbox.clone();
        let on_progress = move |progress: Progress| {
            let params = std::str::from_utf8(progress.json()).ok().and_then(Members::parse);
            if let (Some(token), Some(mut params)) = (&token, params) {
                params.set("progressToken", token.as_str());
                outbox.try_send(notification("notifications/progress", Some(&params.to_json())));
            }
        };
        let relayed = RelayedRequest {
            server: server.clone(),
            method: request.method.clone(),
            params: upstream_params(params),
            on_progress: Box::new(on_progress),
        };
        let options = CallOptions {
            program: CallingProgram::Client(self.0.label.clone()),
            timeout: CALL_TIMEOUT,
            permission_timeout: PERMISSION_TIMEOUT,
            asks_holder: true,
            ..CallOptions::new(format!("{}", self.0.calls.fetch_add(1, Ordering::Relaxed)))
        };
        let call = options.call.clone();
        let relaying = self.0.engine.relay(relayed, options);
        tokio::pin!(relaying);
        let result = tokio::select! {
            result = &mut relaying => result,
            () = cancelled.cancelled() => {
                // The engine informs the server.
                self.0.engine.cancel_call(&call);
                relaying.await
            }
        };
        result.map(|result| String::from_utf8_lossy(&result).into_owned())
    }
}

/// The metadata that belongs to the connection between the client and the gateway.
const CONNECTION_META: [&str; 4] = [
    "progressToken",
    "io.modelcontextprotocol/protocolVersion",
    "io.modelcontextprotocol/clientCapabilities",
    "io.modelcontextprotocol/clientInfo",
];

fn upstream_params(mut params: Map<String, Value>) -> Map<String, Value> {
    if let Some(Value::Object(meta)) = params.get_mut("_meta") {
        meta.retain(|name, _| !CONNECTION_META.contains(&name.as_str()));
        if meta.is_empty() {
            params.remove("_meta");
        }
    }
    params
}

fn missing(name: &str) -> Failure {
    Failure::new(INVALID_PARAMS, format!("the parameter {} is missing or invalid", quoted(name)))
}
