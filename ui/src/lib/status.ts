import type { ServerView, Status } from "../backend/types";
import { m } from "../paraglide/messages";

/** How a state looks: a colour and, for those who do not see it, a shape. */
export type Tone = "good" | "needs_you" | "working" | "bad" | "quiet";

/** The one word that stands for a state, everywhere. */
export function statusWord(status: Status): string {
  switch (status.state) {
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

export function statusTone(status: Status): Tone {
  switch (status.state) {
    case "disabled":
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
