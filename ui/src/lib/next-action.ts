import type { ErrorView, RedirectKind, ServerView } from "../backend/types";
import { isSignedIn } from "./status";

/** The one thing that a state offers. */
export type NextAction =
  | { kind: "enable" }
  | { kind: "resume_all" }
  | { kind: "connect" }
  | { kind: "stop" }
  | { kind: "sign_in"; redirect?: RedirectKind }
  | { kind: "sign_in_again" }
  | { kind: "grant_access" }
  | { kind: "sign_out" }
  | { kind: "disconnect" }
  | { kind: "open_config" }
  | { kind: "enter_client" }
  | { kind: "next_redirect"; redirect: RedirectKind }
  | { kind: "show_details" }
  | { kind: "copy_details" }
  | { kind: "retry_store" };

const LADDER: RedirectKind[] = ["link", "link_with_host", "loopback", "paste"];

/** What a server's state offers; `null` where its screen has its own controls. */
export function nextAction(server: ServerView): NextAction | null {
  const { status } = server;
  switch (status.state) {
    case "disabled":
      return { kind: "enable" };
    case "paused":
      return { kind: "resume_all" };
    case "unsupported":
      return { kind: "open_config" };
    case "connecting":
      return { kind: "stop" };
    case "needs_sign_in":
      if (server.last_error?.code === "registration_unsupported") return { kind: "enter_client" };
      return status.reason === "more_permission_needed" ? { kind: "grant_access" } : { kind: "sign_in" };
    case "signing_in":
      return null;
    case "connected":
      if (server.permission || server.last_error?.code === "insufficient_scope")
        return { kind: "grant_access" };
      if (server.last_error?.code === "sign_in_required") return { kind: "sign_in" };
      return isSignedIn(server) ? { kind: "sign_out" } : { kind: "disconnect" };
    case "reconnecting":
      return { kind: "connect" };
    case "failed":
      return errorAction(status.error, server);
  }
}

/** The one action of a code, as the engine's codes are meant. */
export function errorAction(error: ErrorView, server: ServerView): NextAction {
  switch (error.code) {
    case "config_invalid":
      return { kind: "open_config" };
    case "server_unreachable":
    case "tls_failed":
      return { kind: "connect" };
    case "discovery_failed":
    case "process_exited":
    case "protocol_error":
      return error.details ? { kind: "show_details" } : { kind: "connect" };
    case "registration_unsupported":
      return { kind: "enter_client" };
    case "redirect_rejected":
      return { kind: "next_redirect", redirect: nextRedirect(server) };
    case "authorization_denied":
    case "authorization_expired":
      return { kind: "sign_in_again" };
    case "sign_in_required":
      return { kind: "sign_in" };
    case "insufficient_scope":
      return { kind: "grant_access" };
    case "keychain_unavailable":
    case "keychain_locked":
      return { kind: "retry_store" };
    case "engine_busy":
      return { kind: "connect" };
    case "internal":
      return { kind: "copy_details" };
  }
}

function nextRedirect(server: ServerView): RedirectKind {
  const tried = server.auth.kind === "o_auth" ? server.auth.redirect : null;
  return LADDER[tried === null ? 0 : Math.min(LADDER.indexOf(tried) + 1, LADDER.length - 1)] ?? "paste";
}
