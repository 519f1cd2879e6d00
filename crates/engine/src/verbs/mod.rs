//! The engine's methods, grouped by subject, and the dispatch of requests to them.

mod config;
mod config_text;
mod entries;
mod entry_check;
mod new_server;
mod orphans;
mod probe;
mod relay;
mod resources;
mod secret_list;
mod secrets;
mod servers;
mod sign_in;
mod tools;

use std::time::Duration;

use usher_api::{Code, ErrorView, Reply, Request};

use crate::engine::Engine;
use crate::options::{CallOptions, SignInOptions};

pub use relay::RelayedRequest;
pub use secrets::MAX_SECRET_BYTES;

impl Engine {
    /// Carries out a request. `ShowWindow` and `Yield` fail here, because the processes that can handle them do so before
    /// they reach the engine.
    pub async fn handle(&self, request: Request) -> Result<Reply, ErrorView> {
        match request {
            Request::Snapshot => return Ok(Reply::Snapshot(Box::new(self.snapshot()))),
            Request::Add(server) => return self.add(*server, None).await.map(Reply::Server),
            Request::Server { server, verb } => return self.handle_server(&server, verb).await,
            Request::SignIn {
                server,
                redirect,
                receives_links,
                extra_scopes,
                confirmed_hosts,
                on_device,
            } => {
                let options = SignInOptions {
                    redirect,
                    receives_links,
                    extra_scopes,
                    on_device,
                    confirmed_hosts,
                    client: None,
                };
                return self.start_sign_in(&server, options).await.map(Reply::from);
            }
            Request::CompleteSignIn { address } => {
                return self.complete_sign_in(&address).await.map(Reply::Server);
            }
            Request::HandOverCallback { address } => self.hand_over_callback(&address).await?,
            Request::CallTool {
                server,
                tool,
                arguments,
                call,
                program,
                idle_timeout_seconds,
                permission_seconds,
                asks_holder,
            } => {
                let options = CallOptions {
                    call,
                    program,
                    timeout: Duration::from_secs(idle_timeout_seconds),
                    permission_timeout: Duration::from_secs(permission_seconds),
                    asks_holder,
                };
                return self.call_tool(&server, &tool, arguments, options).await.map(Reply::ToolCall);
            }
            Request::CancelCall { call } => self.cancel_call(&call),
            Request::AnswerElicitation { id, answer } => self.answer_elicitation(&id, answer).await?,
            Request::PauseAll => self.pause_all().await,
            Request::ResumeAll => self.resume_all().await,
            Request::SecretsChanged { name } => self.secrets_changed(name.as_deref()),
            Request::AllowSecret { secret, origin } => self.allow_secret(&secret, &origin).await?,
            Request::DisallowSecret { secret, origin } => self.disallow_secret(&secret, &origin).await?,
            Request::DeleteSecret { name } => {
                self.delete_secret(&name).await?;
            }
            Request::Secrets => return self.secret_list().await.map(Reply::Secrets),
            Request::Approve { server, digest } => self.approve(&server, digest).await?,
            Request::SecretStored { name, address } => self.secret_stored(&name, address.as_deref()).await?,
            Request::ForgetSecretOrigins { secret } => self.forget_secret_origins(&secret).await?,
            Request::RetrySecretStore => self.retry_secret_store().await?,
            Request::Orphans => return self.orphans().await.map(Reply::Orphans),
            Request::RemoveOrphan { server } => self.remove_orphan(&server).await?,
            Request::CheckConfig => return Ok(Reply::Config(self.check_config())),
            Request::Yield => {
                let message = "The running Usher is not `usher serve`.";
                return Err(ErrorView::without_hint(Code::Internal, message));
            }
            Request::ShowWindow => {
                let message = "The running Usher is a command without a window.";
                return Err(ErrorView::without_hint(Code::Internal, message));
            }
        }
        Ok(Reply::Done)
    }
}
