//! The engine's handle: every verb of the shell and the command line.

use secrecy::SecretString;
use tokio::sync::broadcast;
use usher_secrets::StoreKind;

use crate::{
    AuthorizationRequestView, CallOptions, Code, ConfigView, ElicitationAnswer, EngineOptions, ErrorView,
    Event, NewServer, PromptView, ResourceView, SecretStoreView, ServerId, ServerView, SignInOptions,
    Snapshot, StartError, ToolCallView, ToolView,
};

/// A running engine. Cloning gives another handle; [`Engine::stop`] ends it for all.
#[derive(Clone)]
pub struct Engine {
    events: broadcast::Sender<Event>,
}

impl Engine {
    /// Takes the lock, reads `mcp.json` and starts every server's task side by side.
    pub async fn start(options: EngineOptions) -> Result<Self, StartError> {
        let _ = options;
        Ok(Self { events: broadcast::channel(256).0 })
    }

    /// Ends every task and connection, within two seconds, and gives the lock back.
    pub async fn stop(&self) {}

    /// Everything as it is now. Subscribe first, then drop events that are not above its revision.
    pub fn snapshot(&self) -> Snapshot {
        Snapshot {
            revision: Default::default(),
            servers: vec![],
            config: self.check_config(),
            secret_store: SecretStoreView::Memory,
            elicitations: vec![],
        }
    }

    /// What changes from now on. A reader that lags takes a new snapshot.
    pub fn subscribe(&self) -> broadcast::Receiver<Event> {
        self.events.subscribe()
    }

    pub fn server(&self, id: &ServerId) -> Option<ServerView> {
        let _ = id;
        None
    }

    /// Writes a server into `mcp.json` and connects it.
    pub async fn add(&self, server: NewServer) -> Result<ServerId, ErrorView> {
        let _ = server;
        Err(unfinished())
    }

    /// Signs out and takes the server out of `mcp.json`.
    pub async fn remove(&self, id: &ServerId) -> Result<(), ErrorView> {
        let _ = id;
        Err(unfinished())
    }

    pub async fn enable(&self, id: &ServerId) -> Result<(), ErrorView> {
        let _ = id;
        Err(unfinished())
    }

    pub async fn disable(&self, id: &ServerId) -> Result<(), ErrorView> {
        let _ = id;
        Err(unfinished())
    }

    /// Connects now: after a disconnect, a failure, or in the middle of a wait.
    pub async fn connect(&self, id: &ServerId) -> Result<(), ErrorView> {
        let _ = id;
        Err(unfinished())
    }

    /// Lets go of the connection until the next `connect` or start; `mcp.json` stays as it is.
    pub async fn disconnect(&self, id: &ServerId) -> Result<(), ErrorView> {
        let _ = id;
        Err(unfinished())
    }

    /// Discovers, registers and answers with the address that the caller opens in a browser. Ends a sign-in of the
    /// same server that still waits.
    pub async fn sign_in(
        &self,
        id: &ServerId,
        options: SignInOptions,
    ) -> Result<AuthorizationRequestView, ErrorView> {
        let _ = (id, options);
        Err(unfinished())
    }

    /// Notes that the browser was opened, for the waiting screen.
    pub fn browser_opened(&self, id: &ServerId) {
        let _ = id;
    }

    /// The page shows an error: registers again with the next way back.
    pub async fn next_redirect(&self, id: &ServerId) -> Result<AuthorizationRequestView, ErrorView> {
        let _ = id;
        Err(unfinished())
    }

    /// The address of the sign-in that waits, to open or copy it again.
    pub fn authorization_request(&self, id: &ServerId) -> Option<AuthorizationRequestView> {
        let _ = id;
        None
    }

    pub async fn cancel_sign_in(&self, id: &ServerId) {
        let _ = id;
    }

    /// Takes the address that the browser was sent back to, from whoever brings it. It may be hostile: whatever does
    /// not belong to a waiting sign-in leaves everything as it is. Answers when the server is connected, or why not.
    pub async fn complete_sign_in(&self, raw_address: &str) -> Result<ServerId, ErrorView> {
        let _ = raw_address;
        Err(unfinished())
    }

    /// Revokes and forgets the sign-in.
    pub async fn sign_out(&self, id: &ServerId) -> Result<(), ErrorView> {
        let _ = id;
        Err(unfinished())
    }

    /// Lists the tools, all pages. A listing of the last five seconds, or one that the server itself calls fresh
    /// (`ttlMs`), is not asked for again.
    pub async fn tools(&self, id: &ServerId) -> Result<Vec<ToolView>, ErrorView> {
        let _ = id;
        Err(unfinished())
    }

    pub async fn resources(&self, id: &ServerId) -> Result<Vec<ResourceView>, ErrorView> {
        let _ = id;
        Err(unfinished())
    }

    pub async fn prompts(&self, id: &ServerId) -> Result<Vec<PromptView>, ErrorView> {
        let _ = id;
        Err(unfinished())
    }

    /// Calls a tool. `insufficient_scope` means: sign in again (the engine asks for the union of scopes), then call
    /// again.
    pub async fn call_tool(
        &self,
        id: &ServerId,
        tool: &str,
        arguments: serde_json::Map<String, serde_json::Value>,
        options: CallOptions,
    ) -> Result<ToolCallView, ErrorView> {
        let _ = (id, tool, arguments, options);
        Err(unfinished())
    }

    /// Gives a running call up and tells the server.
    pub fn cancel_call(&self, call: &str) {
        let _ = call;
    }

    /// Answers a server's question; an error where nobody asks (any more).
    pub async fn answer_elicitation(&self, id: &str, answer: ElicitationAnswer) -> Result<(), ErrorView> {
        let _ = (id, answer);
        Err(unfinished())
    }

    /// Keeps a secret that `mcp.json` calls `{{name}}`, and connects the servers that waited for it.
    pub async fn set_secret(&self, name: &str, secret: SecretString) -> Result<(), ErrorView> {
        let _ = (name, secret);
        Err(unfinished())
    }

    /// Forgets a named secret; `false` where there was none.
    pub async fn delete_secret(&self, name: &str) -> Result<bool, ErrorView> {
        let _ = name;
        Err(unfinished())
    }

    /// The names of the named secrets.
    pub async fn secrets(&self) -> Result<Vec<String>, ErrorView> {
        Err(unfinished())
    }

    /// Reads `mcp.json` again and says what is wrong with it.
    pub fn check_config(&self) -> ConfigView {
        ConfigView { path: String::new(), error: None, line: None, column: None, warnings: vec![] }
    }

    /// Tries the secret store again, and connects the servers that failed for it.
    pub async fn retry_secret_store(&self) -> Result<(), ErrorView> {
        Err(unfinished())
    }

    /// Changes where secrets are kept, because the person chose so; what the other store holds stays there.
    pub async fn choose_secret_store(&self, kind: StoreKind) -> Result<(), ErrorView> {
        let _ = kind;
        Err(unfinished())
    }
}

fn unfinished() -> ErrorView {
    ErrorView {
        code: Code::Internal,
        message: "This is not there yet.".to_owned(),
        hint: None,
        details: None,
    }
}
