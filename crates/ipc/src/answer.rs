//! The one dispatch: which method of the engine a request is.

use std::time::Duration;

use usher_engine::{CallOptions, Code, Engine, ErrorView, SignInOptions};

use crate::{NewServer, Reply, Request};

/// Asks the engine. `ShowWindow` is no verb of its, and refused: a server that has a window takes it out before.
pub async fn answer(engine: &Engine, request: Request) -> Result<Reply, ErrorView> {
    let done = |()| Reply::Done;
    match request {
        Request::Snapshot => Ok(Reply::Snapshot(Box::new(engine.snapshot()))),
        Request::Add(server) => engine.add(server.into()).await.map(Reply::Server),
        Request::Remove { server } => engine.remove(&server).await.map(done),
        Request::Enable { server } => engine.enable(&server).await.map(done),
        Request::Disable { server } => engine.disable(&server).await.map(done),
        Request::Connect { server } => engine.connect(&server).await.map(done),
        Request::Disconnect { server } => engine.disconnect(&server).await.map(done),
        Request::SignIn { server, redirect, receives_links, extra_scopes } => {
            let options = SignInOptions { redirect, receives_links, extra_scopes, client: None };
            engine.sign_in(&server, options).await.map(Some).map(Reply::Authorization)
        }
        Request::BrowserOpened { server } => {
            engine.browser_opened(&server);
            Ok(Reply::Done)
        }
        Request::NextRedirect { server } => {
            engine.next_redirect(&server).await.map(Some).map(Reply::Authorization)
        }
        Request::AuthorizationRequest { server } => {
            Ok(Reply::Authorization(engine.authorization_request(&server)))
        }
        Request::CancelSignIn { server } => {
            engine.cancel_sign_in(&server).await;
            Ok(Reply::Done)
        }
        Request::CompleteSignIn { address } => engine.complete_sign_in(&address).await.map(Reply::Server),
        Request::HandOverLink { address } => engine.hand_over_link(&address).await.map(done),
        Request::SignOut { server } => engine.sign_out(&server).await.map(done),
        Request::Tools { server } => engine.tools(&server).await.map(Reply::Tools),
        Request::Resources { server } => engine.resources(&server).await.map(Reply::Resources),
        Request::Prompts { server } => engine.prompts(&server).await.map(Reply::Prompts),
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
            engine.call_tool(&server, &tool, arguments, options).await.map(Reply::ToolCall)
        }
        Request::CancelCall { call } => {
            engine.cancel_call(&call);
            Ok(Reply::Done)
        }
        Request::AnswerElicitation { id, answer } => engine.answer_elicitation(&id, answer).await.map(done),
        Request::DeclinePermission { server } => {
            engine.decline_permission(&server);
            Ok(Reply::Done)
        }
        Request::PauseAll => {
            engine.pause_all().await;
            Ok(Reply::Done)
        }
        Request::ResumeAll => {
            engine.resume_all().await;
            Ok(Reply::Done)
        }
        Request::SecretsChanged { name } => {
            engine.secrets_changed(name.as_deref());
            Ok(Reply::Done)
        }
        Request::RetrySecretStore => engine.retry_secret_store().await.map(done),
        Request::CheckConfig => Ok(Reply::Config(engine.check_config())),
        Request::ShowWindow => Err(ErrorView {
            code: Code::Internal,
            message: "The Usher that runs is a command and has no window.".to_owned(),
            hint: None,
            details: None,
        }),
    }
}

impl From<NewServer> for usher_engine::NewServer {
    fn from(server: NewServer) -> Self {
        let NewServer { name, url, client_id, scopes, redirect } = server;
        Self { name, url, client_id, client_secret: None, scopes, redirect }
    }
}
