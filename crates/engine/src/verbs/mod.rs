//! The engine's methods, grouped by subject, and the dispatch of requests to them.

mod config;
mod new_server;
mod resources;
mod secrets;
mod servers;
mod sign_in;
mod tools;

use std::time::Duration;

use usher_api::{Code, ErrorView, Reply, Request};

use crate::engine::Engine;
use crate::options::{CallOptions, SignInOptions};

impl Engine {
    /// Carries out a request. `ShowWindow` fails here, because a process with a window handles it before it reaches the
    /// engine.
    pub async fn handle(&self, request: Request) -> Result<Reply, ErrorView> {
        let done = |()| Reply::Done;
        match request {
            Request::Snapshot => Ok(Reply::Snapshot(Box::new(self.snapshot()))),
            Request::Add(server) => self.add(server, None).await.map(Reply::Server),
            Request::Server { server, verb } => self.handle_server(&server, verb).await,
            Request::SignIn { server, redirect, receives_links, extra_scopes } => {
                let options = SignInOptions { redirect, receives_links, extra_scopes, client: None };
                self.sign_in(&server, options).await.map(Some).map(Reply::Authorization)
            }
            Request::CompleteSignIn { address } => self.complete_sign_in(&address).await.map(Reply::Server),
            Request::HandOverLink { address } => self.hand_over_link(&address).await.map(done),
            Request::CallTool {
                server,
                tool,
                arguments,
                call,
                silence_seconds,
                permission_seconds,
                asks_holder,
            } => {
                let options = CallOptions {
                    call,
                    timeout: Duration::from_secs(silence_seconds),
                    permission_timeout: Duration::from_secs(permission_seconds),
                    asks_holder,
                };
                self.call_tool(&server, &tool, arguments, options).await.map(Reply::ToolCall)
            }
            Request::CancelCall { call } => {
                self.cancel_call(&call);
                Ok(Reply::Done)
            }
            Request::AnswerElicitation { id, answer } => self.answer_elicitation(&id, answer).await.map(done),
            Request::PauseAll => {
                self.pause_all().await;
                Ok(Reply::Done)
            }
            Request::ResumeAll => {
                self.resume_all().await;
                Ok(Reply::Done)
            }
            Request::SecretsChanged { name } => {
                self.secrets_changed(name.as_deref());
                Ok(Reply::Done)
            }
            Request::RetrySecretStore => self.retry_secret_store().await.map(done),
            Request::CheckConfig => Ok(Reply::Config(self.check_config())),
            Request::ShowWindow => Err(ErrorView::without_hint(
                Code::Internal,
                "The running Usher is a command without a window.",
            )),
        }
    }
}
