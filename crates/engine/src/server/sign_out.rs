//! Signing out: the kept sign-in goes first, then the authorization server is told.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::oneshot;
use usher_oauth::Grant;

use super::Message;
use super::phase::Phase;
use super::task::ServerTask;
use crate::credentials::CredentialFault;
use crate::describe::{describe_credential_fault, error};
use crate::server::site::{Place, Site};
use crate::{Code, ErrorView, NeedsSignIn};

/// How long the authorization server is waited for. The sign-in is forgotten here whatever it answers.
const PATIENCE: Duration = Duration::from_secs(5);

impl ServerTask {
    pub fn sign_out(&mut self, reply: oneshot::Sender<Result<(), ErrorView>>) {
        let Some(place) = self.place.clone() else {
            self.answer(reply, Ok(()));
            return;
        };
        // What a sign-in under way brings must not come after the end of the one before it.
        if let Some(sign_in) = self.take_sign_in() {
            let over = error(Code::AuthorizationDenied, "You signed out meanwhile.", "Sign in again.");
            let live = self.end(sign_in, &over);
            self.return_to(live, NeedsSignIn::NeverSignedIn);
        }
        let inbox = self.inbox.clone();
        self.shared.tasks.spawn(async move {
            let outcome = sign_out(&place).await;
            let _ = inbox.send(Message::SignedOut { outcome, reply });
        });
    }

    pub fn signed_out(
        &mut self,
        outcome: Result<(), CredentialFault>,
        reply: oneshot::Sender<Result<(), ErrorView>>,
    ) {
        match outcome {
            Ok(()) => {
                let is_off = matches!(self.phase, Phase::Disabled | Phase::Paused);
                if let Some(sign_in) = self.take_sign_in() {
                    let over =
                        error(Code::AuthorizationDenied, "You signed out meanwhile.", "Sign in again.");
                    self.end(sign_in, &over);
                }
                // What a job under way finds, it found with the sign-in that is gone.
                self.forget_jobs();
                self.signed_in_anew = false;
                self.keep_pending(None);
                self.lost = Some(NeedsSignIn::SignedOut);
                self.last_error = None;
                self.step_up = None;
                self.parked = None;
                self.refuse_calls(&error(
                    Code::SignInRequired,
                    format!("You signed out of {}.", self.name()),
                    "Sign in, then try again.",
                ));
                if !is_off {
                    self.phase = Phase::NeedsSignIn { reason: NeedsSignIn::SignedOut };
                }
                self.answer(reply, Ok(()));
            }
            Err(fault) => {
                self.answer(reply, Err(describe_credential_fault(&fault, &self.name())));
            }
        }
    }
}

async fn sign_out(place: &Place) -> Result<(), CredentialFault> {
    // Without a network there is nobody to tell, and still something to forget.
    let Some(site) = place.site().await.ok().or_else(|| place.site_at_hand()) else {
        let store = place.shared.stores.get();
        let guard = place.shared.guard(&place.id);
        let _guard = guard.lock().await;
        let outcome = store.delete_grant(&place.id.0).await;
        place.shared.stores.note(outcome.as_ref().err());
        outcome?;
        return Ok(());
    };
    let Some(credentials) = &site.credentials else { return Ok(()) };
    let Some(grant) = credentials.remove().await? else { return Ok(()) };
    revoke(place, &site, Grant::clone(&grant)).await;
    Ok(())
}

/// Tells the authorization server in the background that a grant is no longer wanted.
pub(super) async fn revoke(place: &Place, site: &Arc<Site>, grant: Grant) {
    let told = place.shared.revocations.token();
    let secret = match &site.credentials {
        Some(credentials) => credentials.client_secret(&grant).await.unwrap_or_default(),
        None => None,
    };
    let (id, site) = (place.id.clone(), Arc::clone(site));
    place.shared.tasks.spawn(async move {
        let _told = told;
        let revoked = usher_oauth::revoke(&site.http, &grant, secret.as_ref());
        match tokio::time::timeout(PATIENCE, revoked).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::info!(server = %id, %error, "the sign-in could not be revoked"),
            Err(_) => tracing::info!(server = %id, "the authorization server took too long to revoke"),
        }
    });
}
