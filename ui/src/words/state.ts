import type { NeedsSignIn, ServerView, Status, Want } from "../backend/bindings";
import { isConnectedWithoutSignIn, isSignedIn } from "../lib/account";
import { hostOf } from "../lib/host";
import { m } from "../paraglide/messages";

/** The colour and shape of a state. */
export type Tone = "good" | "needs_you" | "working" | "bad" | "quiet";

/** The request of a service. States in progress ignore it, because they have their own texts. */
function wants({ status, wants }: ServerView): Want | null {
  return LOOKS[status.state].tone === "working" ? null : wants;
}

/** The name of a service's state, the same on every screen. */
export function stateWord(server: ServerView): string {
  if (server.entry_error) return m.status_entry_error();
  switch (wants(server)) {
    case "permission":
    case "allow_secret":
      return m.status_more_permission_needed();
    case "approve":
      return m.status_approval_needed();
    case "sign_in":
      return m.status_needs_sign_in();
    case null:
      if (isConnectedWithoutSignIn(server)) return m.status_not_signed_in();
      return LOOKS[server.status.state].word();
  }
}

/**
 * Returns the second line of a service in the sidebar. It ends with the account or the host, so that two services
 * with similar names can be told apart. It begins with the state, unless the service works normally. For an entry with
 * an error it names the line.
 */
export function secondLine(server: ServerView): string {
  const { auth, address, entry_error } = server;
  if (entry_error) return m.status_entry_error_at({ line: entry_error.line });
  const owner = (auth.kind === "o_auth" && auth.signed_in && auth.account) || hostOf(address);
  return stateTone(server) === "good" ? owner : `${stateWord(server)} · ${owner}`;
}

export function stateTone(server: ServerView): Tone {
  return wants(server) ? "needs_you" : LOOKS[server.status.state].tone;
}

const LOOKS: Record<Status["state"], { tone: Tone; word: () => string }> = {
  disabled: { tone: "quiet", word: m.status_disabled },
  paused: { tone: "quiet", word: m.status_paused },
  connecting: { tone: "working", word: m.status_connecting },
  needs_sign_in: { tone: "needs_you", word: m.status_needs_sign_in },
  signing_in: { tone: "working", word: m.status_signing_in },
  connected: { tone: "good", word: m.status_connected },
  reconnecting: { tone: "working", word: m.status_reconnecting },
  failed: { tone: "bad", word: m.status_failed },
};

/** A state's headline and text; `null` for states whose screens have their own texts. */
export function stateWords(server: ServerView): { headline: string; text: string | null } | null {
  const { name, status, auth } = server;
  switch (status.state) {
    case "disabled":
      return {
        headline: m.state_disabled({ name }),
        text: isSignedIn(server)
          ? m.state_disabled_text_signed_in({ name })
          : m.state_disabled_text({ name }),
      };
    case "paused":
      return {
        headline: m.state_paused({ name }),
        text: isSignedIn(server) ? m.state_paused_text_signed_in() : m.state_paused_text(),
      };
    case "connecting":
      return server.program
        ? { headline: m.state_starting({ name }), text: server.program.newest_line }
        : { headline: m.state_connecting({ name }), text: null };
    case "needs_sign_in": {
      const [headline, text] = REASONS[status.reason];
      return { headline: headline({ name }), text: text({ name }) };
    }
    case "connected": {
      if (isConnectedWithoutSignIn(server)) {
        return { headline: m.state_not_signed_in(), text: m.state_not_signed_in_text({ name }) };
      }
      if (auth.kind !== "o_auth" || !auth.signed_in) return { headline: m.state_open(), text: null };
      const { account } = auth;
      return {
        headline: account === null ? m.state_signed_in() : m.state_signed_in_as({ account }),
        text: null,
      };
    }
    case "reconnecting":
      return { headline: status.why.message, text: status.why.hint };
    case "signing_in":
    case "failed":
      return null;
  }
}

type Word = (inputs: { name: string }) => string;

/** The headline and the text of each reason for a sign-in. */
const REASONS: Record<NeedsSignIn, [headline: Word, text: Word]> = {
  never_signed_in: [m.needs_never, m.needs_never_text],
  expired: [m.needs_expired, m.needs_expired_text],
  denied: [m.needs_denied, m.needs_denied_text],
  insufficient_scope: [m.permission_more, m.permission_for_all],
  registration_lost: [m.needs_registration, m.needs_registration_text],
  refresh_interrupted: [m.needs_interrupted, m.needs_interrupted_text],
  refresh_rejected: [m.needs_rejected, m.needs_rejected_text],
  signed_out: [m.needs_signed_out, m.needs_signed_out_text],
};

/** Reasons whose texts already explain the error that caused them. */
const EXPLAINED: NeedsSignIn[] = [
  "expired",
  "denied",
  "registration_lost",
  "refresh_interrupted",
  "refresh_rejected",
];

/** Whether the state's text already explains the last error. */
export function explainsLastError({ status, last_error }: ServerView): boolean {
  if (status.state !== "needs_sign_in" || !EXPLAINED.includes(status.reason)) return false;
  return last_error?.code === "sign_in_required" || last_error?.code === "authorization_denied";
}
