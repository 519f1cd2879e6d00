//! The engine's handle: every verb of the shell and the command line.

use std::sync::Arc;

use secrecy::SecretString;
use usher_secrets::StoreKind;

use crate::board::Board;
use crate::call::ToolCall;
use crate::caller::{Caller, Callers};
use crate::connection::Connection;
use crate::connection::calls::Calls;
use crate::connection::content;
use crate::connection::fault::Fault;
use crate::describe::{Who, describe_fault, describe_secret_error, error};
use crate::running::Running;
use crate::server::{Message, ServerHandle};
use crate::{
    AuthorizationRequestView, CallOptions, Code, ConfigView, ElicitationAnswer, EngineOptions, ErrorView,
    Events, NewServer, PromptView, ResourceView, ServerId, ServerView, SignInOptions, Snapshot, StartError,
    ToolCallView, ToolView,
};

/// A running engine. Cloning gives another handle; [`Engine::stop`] ends it for all, and so does dropping the last.
#[derive(Clone)]
pub struct Engine {
    running: Arc<Running>,
    calls: Arc<Calls>,
    callers: Callers,
    caller: Caller,
}

impl Engine {
    /// Takes the lock, reads `mcp.json` and starts every server's task side by side. A broken file is no failure: the
    /// engine runs, and its snapshot says what is wrong.
    pub async fn start(options: EngineOptions) -> Result<Self, StartError> {
        let running = Running::start(options).await?;
        Ok(Self {
            running: Arc::new(running),
            calls: Arc::default(),
            callers: Callers::new(),
            caller: Callers::holder(),
        })
    }

    /// A handle for somebody else, such as another process. Calls belong to the handle that makes them and to its
    /// clones: nobody else hears of their progress and their servers' questions, can answer or cancel them.
    pub fn for_another(&self) -> Self {
        Self { caller: self.callers.another(), ..self.clone() }
    }

    /// Whoever uses this handle has gone away: gives up its calls, and those too that it has not begun yet.
    pub fn leave(&self) {
        self.caller.gone.cancel();
    }

    /// Waits until the authorization servers have heard of every sign-out so far, or have had their five seconds. For
    /// a program that ends when it has signed out: [`Engine::stop`] waits for nobody that long.
    pub async fn revocations_ended(&self) {
        self.running.revocations_ended().await;
    }

    /// Ends every task and connection, within two seconds, and gives the lock back.
    pub async fn stop(&self) {
        self.running.stop().await;
    }

    /// Everything as it is now. Subscribe first, then drop events that are not above its revision.
    pub fn snapshot(&self) -> Snapshot {
        self.running.shared.board.snapshot(self.caller.id)
    }

    /// What changes from now on. A reader that lags takes a new snapshot.
    pub fn subscribe(&self) -> Events {
        self.running.shared.board.subscribe(self.caller.id)
    }

    pub fn server(&self, id: &ServerId) -> Option<ServerView> {
        self.running.shared.board.server(id)
    }

    /// What this engine was started with.
    pub fn options(&self) -> &EngineOptions {
        &self.running.shared.options
    }

    /// Runs these servers besides those that it was started for; `None` is all of `mcp.json`. Whoever asks for more
    /// than [`EngineOptions::only`] gets it from the one engine there is.
    pub async fn run_also(&self, servers: Option<&[ServerId]>) {
        self.running.run_also(servers).await;
    }

    /// Writes a server into `mcp.json` and connects it. The client secret goes to the secret store, and `mcp.json`
    /// gets a placeholder for it.
    pub async fn add(
        &self,
        server: NewServer,
        client_secret: Option<SecretString>,
    ) -> Result<ServerId, ErrorView> {
        self.running.add(server, client_secret).await
    }

    /// Signs out and takes the server out of `mcp.json`.
    pub async fn remove(&self, id: &ServerId) -> Result<(), ErrorView> {
        self.sign_out(id).await?;
        self.running.edit(|config, name| config.remove(name), id).await
    }

    /// Switches a server on, in `mcp.json`.
    pub async fn enable(&self, id: &ServerId) -> Result<(), ErrorView> {
        self.running.edit(|config, name| config.set_disabled(name, false), id).await
    }

    /// Switches a server off, in `mcp.json`. Its sign-in stays.
    pub async fn disable(&self, id: &ServerId) -> Result<(), ErrorView> {
        self.running.edit(|config, name| config.set_disabled(name, true), id).await
    }

    /// Connects now: after a disconnect, a failure, or in the middle of a wait.
    pub async fn connect(&self, id: &ServerId) -> Result<(), ErrorView> {
        self.server_handle(id)?.send(Message::Connect);
        Ok(())
    }

    /// Lets go of the connection until the next `connect` or start; `mcp.json` stays as it is.
    pub async fn disconnect(&self, id: &ServerId) -> Result<(), ErrorView> {
        self.server_handle(id)?.send(Message::Disconnect);
        Ok(())
    }

    /// The computer woke from sleep: what waits to reconnect does so now, and what looks connected is made sure of.
    pub fn woke(&self) {
        self.running.tell_all(|| Message::Rejoin);
    }

    /// The network came back; the same as after a sleep.
    pub fn network_returned(&self) {
        self.running.tell_all(|| Message::Rejoin);
    }

    /// Lets go of every connection and renews nothing, until [`Engine::resume_all`] or the next start.
    pub async fn pause_all(&self) {
        self.running.pause(true).await;
    }

    /// Connects again what the pause let go of.
    pub async fn resume_all(&self) {
        self.running.pause(false).await;
    }

    /// Discovers, registers and answers with the address that the caller opens in a browser. Ends a sign-in of the
    /// same server that still waits.
    pub async fn sign_in(
        &self,
        id: &ServerId,
        options: SignInOptions,
    ) -> Result<AuthorizationRequestView, ErrorView> {
        if let Some(client) = &options.client {
            self.running.set_client(id, client).await?;
        }
        let asked = self.server_handle(id)?.ask(|reply| Message::SignIn { options, reply }).await;
        asked.unwrap_or_else(|| Err(ended()))
    }

    /// Notes that the browser was opened, for the waiting screen.
    pub fn browser_opened(&self, id: &ServerId) {
        if let Ok(handle) = self.server_handle(id) {
            handle.send(Message::BrowserOpened);
        }
    }

    /// The page shows an error: registers again with the next way back.
    pub async fn next_redirect(&self, id: &ServerId) -> Result<AuthorizationRequestView, ErrorView> {
        let asked = self.server_handle(id)?.ask(|reply| Message::NextRedirect { reply }).await;
        asked.unwrap_or_else(|| Err(ended()))
    }

    /// The address of the sign-in that waits, to open or copy it again.
    pub fn authorization_request(&self, id: &ServerId) -> Option<AuthorizationRequestView> {
        self.running.shared.flows.request(id)
    }

    /// Gives up a sign-in at whatever step it is.
    pub async fn cancel_sign_in(&self, id: &ServerId) {
        if let Ok(handle) = self.server_handle(id) {
            handle.ask(|reply| Message::CancelSignIn { reply }).await;
        }
    }

    /// Takes the address that the browser was sent back to, from whoever brings it. It may be hostile: whatever does
    /// not belong to a waiting sign-in leaves everything as it is. Answers when the server is connected, or why not.
    pub async fn complete_sign_in(&self, raw_address: &str) -> Result<ServerId, ErrorView> {
        self.running.shared.complete(raw_address).await
    }

    /// The same without waiting for the exchange: an error where the address belongs to no sign-in that waits.
    pub async fn hand_over_link(&self, raw_address: &str) -> Result<(), ErrorView> {
        self.running.shared.take_link(raw_address).await
    }

    /// Revokes and forgets the sign-in.
    pub async fn sign_out(&self, id: &ServerId) -> Result<(), ErrorView> {
        self.server_handle(id)?.ask(|reply| Message::SignOut { reply }).await.unwrap_or_else(|| Err(ended()))
    }

    /// Lists the tools, all pages. A listing of the last five seconds, or one that the server itself calls fresh
    /// (`ttlMs`), is not asked for again.
    pub async fn tools(&self, id: &ServerId) -> Result<Vec<ToolView>, ErrorView> {
        let (handle, connection) = self.connection(id).await?;
        let outcome = connection.tools().await;
        if outcome.is_ok() {
            handle.send(Message::Listed { connection: Arc::clone(&connection) });
        }
        let tools = self.report(&handle, connection, outcome, "tools/list")?;
        Ok(tools.iter().map(content::tool).collect())
    }

    pub async fn resources(&self, id: &ServerId) -> Result<Vec<ResourceView>, ErrorView> {
        let (handle, connection) = self.connection(id).await?;
        let outcome = connection.list_resources().await;
        let resources = self.report(&handle, connection, outcome, "resources/list")?;
        Ok(resources.iter().map(content::resource).collect())
    }

    pub async fn prompts(&self, id: &ServerId) -> Result<Vec<PromptView>, ErrorView> {
        let (handle, connection) = self.connection(id).await?;
        let outcome = connection.list_prompts().await;
        let prompts = self.report(&handle, connection, outcome, "prompts/list")?;
        Ok(prompts.iter().map(content::prompt).collect())
    }

    /// Calls a tool. Where it lacks a permission the view says so (`ServerView::permission`) and the call waits for the
    /// person; after the sign-in it is repeated once. It is also repeated where an answer was lost and the tool says
    /// that a second call does no harm.
    pub async fn call_tool(
        &self,
        id: &ServerId,
        tool: &str,
        arguments: serde_json::Map<String, serde_json::Value>,
        options: CallOptions,
    ) -> Result<ToolCallView, ErrorView> {
        let cancelled = self.caller.gone.child_token();
        let _running = self.calls.begin(self.caller.id, &options.call, cancelled.clone()).map_err(|()| {
            error(Code::Internal, "A call of this name runs already.", "Give each call a name of its own.")
        })?;
        let call =
            ToolCall { engine: self, handle: self.server_handle(id)?, tool, arguments, options, cancelled };
        call.run().await.map(|result| content::tool_call(&result))
    }

    /// The person does not give the permission that a server wants: the calls that wait for it fail.
    pub fn decline_permission(&self, id: &ServerId) {
        if let Ok(handle) = self.server_handle(id) {
            handle.send(Message::PermissionDeclined);
        }
    }

    /// Gives a running call of this handle's up and tells the server.
    pub fn cancel_call(&self, call: &str) {
        self.calls.cancel(self.caller.id, call);
    }

    /// Answers a server's question; an error where nobody asks it of this handle (any more).
    pub async fn answer_elicitation(&self, id: &str, answer: ElicitationAnswer) -> Result<(), ErrorView> {
        self.running.shared.elicitations.answer(self.caller.id, id, answer).map_err(|_| {
            error(
                Code::Internal,
                "Nobody waits for this answer any more.",
                "Call the tool again if you want to.",
            )
        })
    }

    /// Keeps a secret that `mcp.json` calls `{{name}}`, and connects the servers that need it.
    pub async fn set_secret(&self, name: &str, secret: SecretString) -> Result<(), ErrorView> {
        self.running.put_secret(name, &secret).await?;
        self.secrets_changed(Some(name));
        Ok(())
    }

    /// Somebody else changed what the secret store holds: a named secret, or `None` for whatever it was. Connects the
    /// servers that wait for it.
    pub fn secrets_changed(&self, name: Option<&str>) {
        self.running.tell_all(|| Message::SecretsChanged { named: name.map(str::to_owned) });
    }

    /// Forgets a named secret; `false` where there was none.
    pub async fn delete_secret(&self, name: &str) -> Result<bool, ErrorView> {
        let stores = &self.running.shared.stores;
        let outcome = stores.get().delete_named(name).await;
        stores.note(outcome.as_ref().err());
        outcome.map_err(|failure| describe_secret_error(&failure))
    }

    /// The names of the named secrets.
    pub async fn secrets(&self) -> Result<Vec<String>, ErrorView> {
        let stores = &self.running.shared.stores;
        let outcome = stores.get().named_list().await;
        stores.note(outcome.as_ref().err());
        outcome.map_err(|failure| describe_secret_error(&failure))
    }

    /// Reads `mcp.json` again and says what is wrong with it.
    pub fn check_config(&self) -> ConfigView {
        self.running.check_config()
    }

    /// Tries the secret store again because the person wants it, and connects the servers that failed for it. The
    /// system asks for the password of a keychain that is locked; the answer may take as long as the person does.
    pub async fn retry_secret_store(&self) -> Result<(), ErrorView> {
        let outcome = self.running.shared.stores.get().unlock().await;
        self.go_on_with_store(outcome)
    }

    /// The same where nobody is to be asked: something about the secret store has changed.
    pub async fn recheck_secret_store(&self) -> Result<(), ErrorView> {
        let outcome = self.running.shared.stores.get().check().await;
        self.go_on_with_store(outcome)
    }

    fn go_on_with_store(&self, outcome: Result<(), usher_secrets::Error>) -> Result<(), ErrorView> {
        self.running.shared.stores.note(outcome.as_ref().err());
        outcome.map_err(|failure| describe_secret_error(&failure))?;
        self.running.tell_all(|| Message::SecretsChanged { named: None });
        Ok(())
    }

    /// Changes where secrets are kept, because the person chose so; what the other store holds stays there.
    pub async fn choose_secret_store(&self, kind: StoreKind) -> Result<(), ErrorView> {
        self.running.shared.stores.choose(kind);
        self.retry_secret_store().await
    }

    fn server_handle(&self, id: &ServerId) -> Result<Arc<ServerHandle>, ErrorView> {
        self.running.handle(id)
    }

    pub(crate) fn caller(&self) -> &Caller {
        &self.caller
    }

    pub(crate) fn board(&self) -> &Arc<Board> {
        &self.running.shared.board
    }

    /// The connection of a server; one that is coming up is waited for.
    pub(crate) async fn reach(&self, handle: &ServerHandle) -> Result<Arc<Connection>, ErrorView> {
        handle.connection(self.running.shared.options.connect_timeout).await
    }

    async fn connection(&self, id: &ServerId) -> Result<(Arc<ServerHandle>, Arc<Connection>), ErrorView> {
        let handle = self.server_handle(id)?;
        let connection = self.reach(&handle).await?;
        Ok((handle, connection))
    }

    /// Tells the server's task how an operation went, and the caller in words.
    pub(crate) fn report<T>(
        &self,
        handle: &ServerHandle,
        connection: Arc<Connection>,
        outcome: Result<T, Fault>,
        operation: &str,
    ) -> Result<T, ErrorView> {
        let fault = match outcome {
            Ok(result) => {
                handle.content_with(operation);
                return Ok(result);
            }
            Err(fault) => fault,
        };
        let refused = matches!(fault, Fault::InsufficientScope { .. });
        let token = connection.token_at_hand();
        let told = self.failed(handle, connection, fault);
        if refused {
            handle.note_step_up(operation, token)?;
        }
        Err(told)
    }

    /// The same for what failed, whatever it was.
    pub(crate) fn failed(
        &self,
        handle: &ServerHandle,
        connection: Arc<Connection>,
        fault: Fault,
    ) -> ErrorView {
        let told = describe_fault(&fault, &self.who(handle));
        handle.send(Message::Failed { connection, fault: Arc::new(fault) });
        told
    }

    pub(crate) fn who(&self, handle: &ServerHandle) -> Who {
        let id = ServerId(handle.config.name.clone());
        let host = handle.config.transport.url().and_then(|url| url.host_str()).map(str::to_owned);
        Who { name: self.server(&id).map_or(id.0, |view| view.name), host }
    }
}

fn ended() -> ErrorView {
    error(Code::Internal, "The server was removed or changed meanwhile.", "Try again.")
}
