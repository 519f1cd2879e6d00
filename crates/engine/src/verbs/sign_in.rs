//! Methods for signing in and out.

use usher_api::{AuthorizationRequestView, ErrorView, ServerId, SignInRequest};
use usher_config::{Origin, client_secret_name};

use crate::engine::Engine;
use crate::options::{PreRegisteredClient, SignInOptions};
use crate::server::message::Message;
use crate::words;

impl Engine {
    /// Starts a sign-in in the browser, and returns the authorization request. Fails if `mcp.json` or the options choose
    /// another way; [`Engine::start_sign_in`] supports all of them.
    pub async fn sign_in(
        &self,
        id: &ServerId,
        options: SignInOptions,
    ) -> Result<AuthorizationRequestView, ErrorView> {
        browser_request(self.start_sign_in(id, options).await?)
    }

    /// Starts a sign-in, and returns what the person has to do. Discovery and registration happen first. A waiting
    /// sign-in of the same server ends.
    pub async fn start_sign_in(
        &self,
        id: &ServerId,
        options: SignInOptions,
    ) -> Result<SignInRequest, ErrorView> {
        if let Some(client) = &options.client {
            self.set_client(id, client).await?;
        }
        let outcome = self.handle_of(id)?.ask(|reply| Message::SignIn { options, reply }).await;
        outcome.unwrap_or_else(|| Err(words::server::removed_meanwhile()))
    }

    /// Records that the browser was opened.
    pub fn browser_opened(&self, id: &ServerId) {
        if let Ok(handle) = self.handle_of(id) {
            handle.send(Message::BrowserOpened);
        }
    }

    /// Restarts the sign-in with the next redirect or without `prompt`. Call it when the page in the browser shows an error.
    pub async fn next_redirect(&self, id: &ServerId) -> Result<AuthorizationRequestView, ErrorView> {
        let outcome = self.handle_of(id)?.ask(Message::NextRedirect).await;
        browser_request(outcome.unwrap_or_else(|| Err(words::server::removed_meanwhile()))?)
    }

    /// Returns the authorization request of the waiting sign-in, to open or copy it again.
    pub fn authorization_request(&self, id: &ServerId) -> Option<AuthorizationRequestView> {
        self.run.context.callbacks.request(id)
    }

    /// Cancels a sign-in at any step.
    pub async fn cancel_sign_in(&self, id: &ServerId) {
        if let Ok(handle) = self.handle_of(id) {
            handle.ask(Message::CancelSignIn).await;
        }
    }

    /// Completes the sign-in to which a callback belongs. The callback is untrusted: if it matches no waiting sign-in,
    /// nothing changes. Returns when the server is connected, or returns the error that prevented this.
    pub async fn complete_sign_in(&self, raw_address: &str) -> Result<ServerId, ErrorView> {
        self.restore_pending(raw_address).await?;
        self.run.context.callbacks.complete(raw_address).await
    }

    /// Accepts a callback without waiting for the exchange. Fails if no waiting sign-in matches.
    pub async fn hand_over_callback(&self, raw_address: &str) -> Result<(), ErrorView> {
        self.restore_pending(raw_address).await?;
        self.run.context.callbacks.hand_over(raw_address)
    }

    /// Deletes the grant, and revokes it in the background. The entry in `mcp.json` may have an error.
    pub async fn sign_out(&self, id: &ServerId) -> Result<(), ErrorView> {
        if self.run.servers.entry_error(id).is_some() {
            return self.delete_stored_grant(id).await;
        }
        let outcome = self.handle_of(id)?.ask(Message::SignOut).await;
        outcome.unwrap_or_else(|| Err(words::server::removed_meanwhile()))
    }

    /// Records that the person declined a permission. The calls that wait for the permission fail.
    pub fn decline_permission(&self, id: &ServerId) {
        if let Ok(handle) = self.handle_of(id) {
            handle.send(Message::PermissionDeclined);
        }
    }

    /// Restores a sign-in of the previous run if the callback belongs to one. Fails if the secret store cannot be read;
    /// the person can then open the link again.
    async fn restore_pending(&self, raw_address: &str) -> Result<(), ErrorView> {
        let (context, servers) = (&self.run.context, &self.run.servers);
        let Some(state) = context.callbacks.unknown_state(raw_address) else { return Ok(()) };
        let found = self.run.stored_sign_ins.find(&state, servers.ids(), &context.stores).await?;
        if let Some((id, pending)) = found
            && let Some(handle) = servers.get(&id)
        {
            handle.ask(|reply| Message::RestorePending { pending: Box::new(pending), reply }).await;
        }
        Ok(())
    }

    /// Stores a pre-registered client: its id in `mcp.json`, its secret in the secret store.
    async fn set_client(&self, id: &ServerId, client: &PreRegisteredClient) -> Result<(), ErrorView> {
        let secret_name = client_secret_name(&id.0);
        let placeholder = match &client.client_secret {
            Some(secret) => {
                // The person entered the secret for the server's address and token endpoint as they are now.
                let handle = self.handle_of(id)?;
                let config = &handle.config;
                let addresses = config.transport.url().into_iter().chain(config.oauth.token_url.as_ref());
                let origins: Vec<_> = addresses.filter_map(Origin::of).collect();
                self.put_secret(&secret_name, secret).await?;
                self.bind_secret(&secret_name, &origins).await?;
                Some(format!("{{{{{secret_name}}}}}"))
            }
            None => None,
        };
        let client_id = client.client_id.clone();
        self.edit(id, move |file, name| file.set_client(name, &client_id, placeholder.as_deref())).await
    }
}

fn browser_request(request: SignInRequest) -> Result<AuthorizationRequestView, ErrorView> {
    match request {
        SignInRequest::Browser(request) => Ok(request),
        SignInRequest::Device(_) | SignInRequest::Unattended => Err(words::sign_in::not_in_browser()),
    }
}
