//! Transitions of a sign-out.

use usher_api::NeedsSignIn;

use super::message::{Message, SignOutReply};
use super::phase::Phase;
use super::state::ServerTask;
use crate::credentials::fault::CredentialFault;
use crate::sign_in::revoke;
use crate::words;

impl ServerTask {
    pub fn sign_out(&mut self, reply: SignOutReply) {
        let Some(endpoint) = self.endpoint.http().cloned() else {
            return self.outbox.reply(reply, Ok(()));
        };
        // The grant of a running sign-in must not be stored after the current grant is deleted.
        if let Some(sign_in) = self.phase.take_sign_in() {
            let live = self.end_sign_in(sign_in, &words::sign_in::signed_out_meanwhile());
            self.return_to(live, NeedsSignIn::NeverSignedIn);
        }
        let finish = self.jobs.message_sender();
        self.context.tasks.spawn(async move {
            let outcome = revoke::sign_out(&endpoint).await;
            finish(Message::SignedOut { outcome, reply });
        });
    }

    pub fn signed_out(&mut self, outcome: Result<(), CredentialFault>, reply: SignOutReply) {
        if let Err(fault) = outcome {
            let error = words::credentials::describe_credential_fault(&fault, &self.name());
            return self.outbox.reply(reply, Err(error));
        }
        let is_off = matches!(self.phase.get(), Phase::Disabled | Phase::Paused);
        if let Some(sign_in) = self.phase.take_sign_in() {
            self.end_sign_in(sign_in, &words::sign_in::signed_out_meanwhile());
        }
        // The running jobs used the old grant, so their outcomes are ignored.
        self.jobs.ignore_outcomes();
        self.forget_pending();
        self.next_sign_in.set_reason(NeedsSignIn::SignedOut);
        if self.endpoint.is_unattended() {
            self.context.learned.set_signed_out(&self.id, true);
        }
        self.next_sign_in.set_connection(None);
        self.outbox.clear_error();
        self.step_up.signed_out();
        self.fail_waiting_calls(&words::server::signed_out(&self.name()));
        if !is_off {
            self.phase.enter(Phase::NeedsSignIn { reason: NeedsSignIn::SignedOut });
        }
        self.outbox.reply(reply, Ok(()));
    }
}
