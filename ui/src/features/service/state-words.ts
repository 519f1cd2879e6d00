import type { NeedsSignIn, ServerView } from "../../backend/types";
import { account, isSignedIn } from "../../lib/status";
import { m } from "../../paraglide/messages";

export type StateWords = { headline: string; text: string | null };

/** What a state means for the person, and what to do about it. Failed and signing in speak for themselves. */
export function stateWords(server: ServerView): StateWords | null {
  const { name, status } = server;
  switch (status.state) {
    case "disabled":
      return {
        headline: m.state_disabled({ name }),
        text: isSignedIn(server) ? m.state_disabled_text_signed_in() : m.state_disabled_text(),
      };
    case "paused":
      return {
        headline: m.state_paused({ name }),
        text: isSignedIn(server) ? m.state_paused_text_signed_in() : m.state_paused_text(),
      };
    case "unsupported":
      return { headline: m.state_unsupported({ name }), text: status.why };
    case "connecting":
      return { headline: m.state_connecting({ name }), text: null };
    case "needs_sign_in":
      return needsSignIn(name, status.reason);
    case "connected": {
      const who = account(server);
      if (who !== null) return { headline: m.state_signed_in_as({ account: who }), text: null };
      return { headline: isSignedIn(server) ? m.state_signed_in() : m.state_open(), text: null };
    }
    case "reconnecting":
      return { headline: status.why.message, text: status.why.hint };
    case "signing_in":
    case "failed":
      return null;
  }
}

function needsSignIn(name: string, reason: NeedsSignIn): StateWords {
  switch (reason) {
    case "never_signed_in":
      return { headline: m.needs_never({ name }), text: m.needs_never_text({ name }) };
    case "expired":
      return { headline: m.needs_expired({ name }), text: m.needs_expired_text() };
    case "refused":
      return { headline: m.needs_refused({ name }), text: m.needs_refused_text() };
    case "more_permission_needed":
      return { headline: m.permission_more({ name }), text: m.permission_for_all() };
    case "registration_lost":
      return { headline: m.needs_registration({ name }), text: m.needs_registration_text() };
    case "refresh_interrupted":
      return { headline: m.needs_interrupted({ name }), text: m.needs_interrupted_text() };
    case "signed_out":
      return { headline: m.needs_signed_out({ name }), text: m.needs_signed_out_text() };
  }
}

/** Reasons whose sentence tells a person all there is to know of the failure that led to them. */
const TELLING: ReadonlySet<NeedsSignIn> = new Set([
  "expired",
  "refused",
  "registration_lost",
  "refresh_interrupted",
]);

/** Whether the last error only says the state's sentence again, in the protocol's words. */
export function isTold({ status, last_error }: ServerView): boolean {
  if (status.state !== "needs_sign_in" || !TELLING.has(status.reason)) return false;
  return last_error?.code === "sign_in_required" || last_error?.code === "authorization_denied";
}
