import type { NeedsSignIn, ServerView, Status, Want } from "../backend/types";
import { account, isSignedIn } from "../lib/account";
import { m } from "../paraglide/messages";

/** A state's look: a colour, and a shape that has the same meaning. */
export type Tone = "good" | "needs_you" | "working" | "bad" | "quiet";

/** The open request of a connected service. The other states have words of their own. */
function wants({ status, wants }: ServerView): Want | null {
  return status.state === "connected" ? wants : null;
}

/** The one word for a service's state, used everywhere. */
export function stateWord(server: ServerView): string {
  switch (wants(server)) {
    case "permission":
      return m.status_more_permission_needed();
    case "sign_in":
      return m.status_needs_sign_in();
    case null:
      return statusWord(server.status);
  }
}

export function stateTone(server: ServerView): Tone {
  return wants(server) ? "needs_you" : statusTone(server.status);
}

function statusWord(status: Status): string {
  switch (status.state) {
    case "paused":
      return m.status_paused();
    case "disabled":
      return m.status_disabled();
    case "unsupported":
      return m.status_unsupported();
    case "connecting":
      return m.status_connecting();
    case "needs_sign_in":
      return status.reason === "more_permission_needed"
        ? m.status_more_permission_needed()
        : m.status_needs_sign_in();
    case "signing_in":
      return m.status_signing_in();
    case "connected":
      return m.status_connected();
    case "reconnecting":
      return m.status_reconnecting();
    case "failed":
      return m.status_failed();
  }
}

function statusTone(status: Status): Tone {
  switch (status.state) {
    case "disabled":
    case "paused":
    case "unsupported":
      return "quiet";
    case "connecting":
    case "signing_in":
    case "reconnecting":
      return "working";
    case "needs_sign_in":
      return "needs_you";
    case "connected":
      return "good";
    case "failed":
      return "bad";
  }
}

export type StateWords = { headline: string; text: string | null };

/** A state as a sentence, and what to do about it; `null` for states whose screens have their own words. */
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
      return { headline: m.needs_refused({ name }), text: m.needs_refused_text({ name }) };
    case "more_permission_needed":
      return { headline: m.permission_more({ name }), text: m.permission_for_all({ name }) };
    case "registration_lost":
      return { headline: m.needs_registration({ name }), text: m.needs_registration_text({ name }) };
    case "refresh_interrupted":
      return { headline: m.needs_interrupted({ name }), text: m.needs_interrupted_text({ name }) };
    case "signed_out":
      return { headline: m.needs_signed_out({ name }), text: m.needs_signed_out_text() };
  }
}

/** Reasons whose sentence says everything a person needs to know about the error behind them. */
const EXPLAINED: ReadonlySet<NeedsSignIn> = new Set([
  "expired",
  "refused",
  "registration_lost",
  "refresh_interrupted",
]);

/** Whether the last error only repeats the state's sentence in the protocol's words. */
export function explainsLastError({ status, last_error }: ServerView): boolean {
  if (status.state !== "needs_sign_in" || !EXPLAINED.has(status.reason)) return false;
  return last_error?.code === "sign_in_required" || last_error?.code === "authorization_denied";
}
