import type { ServerView, Status } from "../backend/types";
import { m } from "../paraglide/messages";

/** How a state looks: a colour and, for those who do not see it, a shape. */
export type Tone = "good" | "needs_you" | "working" | "bad" | "quiet";

/** What a service that works wants of the person nonetheless. */
export type Wish = "permission" | "sign_in";

export function wishOf({ status, permission, last_error }: ServerView): Wish | null {
  if (status.state !== "connected") return null;
  if (permission || last_error?.code === "insufficient_scope") return "permission";
  // It answers, but not as the person: a 401 that came inside a tool's result.
  return last_error?.code === "sign_in_required" ? "sign_in" : null;
}

/** The one word that stands for a service's state, everywhere. */
export function stateWord(server: ServerView): string {
  switch (wishOf(server)) {
    case "permission":
      return m.status_more_permission_needed();
    case "sign_in":
      return m.status_needs_sign_in();
    case null:
      return statusWord(server.status);
  }
}

export function stateTone(server: ServerView): Tone {
  return wishOf(server) ? "needs_you" : statusTone(server.status);
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

export function isSignedIn(server: ServerView): boolean {
  return server.auth.kind === "o_auth" && server.auth.signed_in;
}

export function account(server: ServerView): string | null {
  return server.auth.kind === "o_auth" && server.auth.signed_in ? server.auth.account : null;
}

/** The host of an address; the address itself where it is a command line. */
export function hostOf(address: string): string {
  try {
    return new URL(address).host || address;
  } catch {
    return address;
  }
}
