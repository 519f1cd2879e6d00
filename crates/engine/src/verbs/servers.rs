//! Methods for the set of servers, and for one server's connection.

use futures::future::join_all;
use usher_api::{AuthView, ErrorView, Reply, ServerId, ServerVerb};
use usher_config::{Config, ConfigError, ConfigFile, ServerConfig};
use usher_oauth::ServerUrl;

use crate::engine::Engine;
use crate::learned::UsedByOthers;
use crate::run::load;
use crate::server::message::Message;
use crate::server_key::ServerKey;
use crate::words::server::removed_meanwhile;

impl Engine {
    pub(super) async fn handle_server(&self, id: &ServerId, verb: ServerVerb) -> Result<Reply, ErrorView> {
        match verb {
            ServerVerb::Remove => self.remove(id).await?,
            ServerVerb::Enable => self.enable(id).await?,
            ServerVerb::Disable => self.disable(id).await?,
            ServerVerb::Connect => self.connect(id).await?,
            ServerVerb::Disconnect => self.disconnect(id).await?,
            ServerVerb::SignOut => self.sign_out(id).await?,
            ServerVerb::Forget => self.forget(id)?,
            ServerVerb::BrowserOpened => self.browser_opened(id),
            ServerVerb::CancelSignIn => self.cancel_sign_in(id).await,
            ServerVerb::DeclinePermission => self.decline_permission(id),
            ServerVerb::BlockQuestions => self.set_questions_blocked(id, true)?,
            ServerVerb::AllowQuestions => self.set_questions_blocked(id, false)?,
            ServerVerb::NextRedirect => {
                return self.next_redirect(id).await.map(Some).map(Reply::Authorization);
            }
            ServerVerb::AuthorizationRequest => {
                return Ok(Reply::Authorization(self.authorization_request(id)));
            }
            ServerVerb::Tools => return self.tools(id).await.map(Reply::Tools),
            ServerVerb::Resources => return self.resources(id).await.map(Reply::Resources),
            ServerVerb::Prompts => return self.prompts(id).await.map(Reply::Prompts),
            ServerVerb::Log => return self.log(id).await.map(Reply::Log),
        }
        Ok(Reply::Done)
    }

    /// Runs more servers; `None` runs all of `mcp.json`. If the file is not JSON, they start once it is valid.
    pub async fn run_also(&self, servers: Option<&[ServerId]>) {
        let run = &self.run;
        let _changing = run.servers.changing.lock().await;
        // A named server may have been added so recently that the watch has not reported it.
        if (run.servers.select(servers) || servers.is_some())
            && let Ok(config) = load(&run.config).await
        {
            run.servers.reconcile(&run.context, run.config.path(), config).await;
        }
    }

    /// Signs out and removes the server from `mcp.json`. Its entry may have an error.
    pub async fn remove(&self, id: &ServerId) -> Result<(), ErrorView> {
        self.sign_out(id).await?;
        self.edit(id, |config, name| config.remove(name)).await?;
        self.run.context.learned.set_questions_blocked(id, false);
        self.run.context.learned.set_signed_out(id, false);
        Ok(())
    }

    /// Enables a server in `mcp.json`.
    pub async fn enable(&self, id: &ServerId) -> Result<(), ErrorView> {
        self.edit(id, |config, name| config.set_disabled(name, false)).await
    }

    /// Disables a server in `mcp.json`. Its grant is kept.
    pub async fn disable(&self, id: &ServerId) -> Result<(), ErrorView> {
        self.edit(id, |config, name| config.set_disabled(name, true)).await
    }

    /// Connects at once after a disconnect or a failure, or during a backoff. Returns when the server's view shows the
    /// attempt, not when the attempt ends.
    pub async fn connect(&self, id: &ServerId) -> Result<(), ErrorView> {
        self.handle_of(id)?.ask(Message::Connect).await;
        Ok(())
    }

    /// Closes the connection until the next `connect` or start, and returns when the server's view shows it. `mcp.json`
    /// does not change.
    pub async fn disconnect(&self, id: &ServerId) -> Result<(), ErrorView> {
        self.handle_of(id)?.ask(Message::Disconnect).await;
        Ok(())
    }

    /// Approves the launch of a local program, and starts the program. `digest` is that of the launch that the person
    /// saw; if the entry has changed since, nothing is approved.
    pub async fn approve(&self, id: &ServerId, digest: String) -> Result<(), ErrorView> {
        let handle = self.handle_of(id)?;
        let approved = handle.ask(|reply| Message::Approve { digest, reply }).await;
        approved.unwrap_or_else(|| Err(removed_meanwhile()))
    }

    /// Returns the last lines that a program wrote to stderr, oldest first: those of its newest process.
    pub async fn log(&self, id: &ServerId) -> Result<Vec<String>, ErrorView> {
        let lines = self.handle_of(id)?.ask(Message::Log).await;
        lines.unwrap_or_else(|| Err(removed_meanwhile()))
    }

    /// Forgets a server's metadata, client registration and redirect. Its grant is kept, and so is what other servers with
    /// a grant use. The next sign-in discovers and registers again.
    pub fn forget(&self, id: &ServerId) -> Result<(), ErrorView> {
        let handle = self.handle_of(id)?;
        let issuer = self.server(id).and_then(|view| Identity::of(view.auth)).map(|identity| identity.issuer);
        if let Some(key) = key_of(&handle.config) {
            let others = self.used_by_others(id, &key, issuer.as_deref());
            self.run.context.learned.forget(&key, id, issuer.as_deref(), &others);
            handle.send(Message::Publish);
        }
        Ok(())
    }

    /// Returns what the other servers with a grant use of this key and this issuer.
    fn used_by_others(&self, id: &ServerId, key: &ServerKey, issuer: Option<&str>) -> UsedByOthers {
        let mut used = UsedByOthers::default();
        for other in self.run.servers.all().iter().filter(|other| other.config.name != id.0) {
            let view = self.server(&ServerId(other.config.name.clone()));
            let Some(identity) = view.and_then(|view| Identity::of(view.auth)) else { continue };
            let Some(client_id) = identity.granted_to else { continue };
            used.metadata |= key_of(&other.config).as_ref() == Some(key);
            if Some(identity.issuer.as_str()) == issuer {
                used.issuer = true;
                used.clients.insert(client_id);
            }
        }
        used
    }

    /// Sets whether a server's questions are declined without asking the person. Declines the open ones if so.
    pub fn set_questions_blocked(&self, id: &ServerId, blocked: bool) -> Result<(), ErrorView> {
        let handle = self.handle_of(id)?;
        let context = &self.run.context;
        context.learned.set_questions_blocked(id, blocked);
        if blocked {
            context.elicitations.decline_all(id);
        }
        handle.send(Message::Publish);
        Ok(())
    }

    /// Replaces every connection and ends every backoff, as after a sleep or a network change.
    pub fn reconnect_all(&self) {
        self.run.servers.send_all(|| Message::Reconnect);
    }

    /// Closes every connection and stops all refreshes until [`Engine::resume_all`] or the next start.
    pub async fn pause_all(&self) {
        self.set_paused(true).await;
    }

    /// Ends the pause.
    pub async fn resume_all(&self) {
        self.set_paused(false).await;
    }

    /// Sets or ends the pause, and returns when every server's view has changed.
    async fn set_paused(&self, paused: bool) {
        let _changing = self.run.servers.changing.lock().await;
        if !self.run.context.board.change_paused(paused) {
            return;
        }
        let handles = self.run.servers.all();
        join_all(handles.iter().map(|handle| handle.ask(Message::PauseChanged))).await;
    }

    /// Changes one server's entry in `mcp.json`.
    pub(super) async fn edit(
        &self,
        id: &ServerId,
        edit: impl FnOnce(&ConfigFile, &str) -> Result<Config, ConfigError> + Send + 'static,
    ) -> Result<(), ErrorView> {
        let _changing = self.run.servers.changing.lock().await;
        let name = id.0.clone();
        self.run.change_config(move |file| edit(file, &name)).await
    }
}

/// The authorization server of a server, and the client of its grant.
struct Identity {
    issuer: String,
    /// `None` if the person is not signed in.
    granted_to: Option<String>,
}

impl Identity {
    fn of(auth: AuthView) -> Option<Self> {
        match auth {
            AuthView::OAuth { issuer, signed_in, client_id, .. } => {
                Some(Self { issuer: issuer?, granted_to: client_id.filter(|_| signed_in) })
            }
            AuthView::Unknown | AuthView::None | AuthView::Header => None,
        }
    }
}

fn key_of(config: &ServerConfig) -> Option<ServerKey> {
    let url = config.transport.url().and_then(|url| ServerUrl::parse(url.as_str()).ok())?;
    Some(ServerKey::new(&url, &config.oauth))
}
