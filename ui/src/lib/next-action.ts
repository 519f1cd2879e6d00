import type { Code, ErrorView, ServerView } from "../backend/bindings";
import { isConnectedWithoutSignIn, isSignedIn } from "./account";

/** The one action that a state or an error offers. */
export type NextAction =
  | "enable"
  | "resume_all"
  | "connect"
  | "stop"
  | "sign_in"
  | "sign_in_again"
  | "grant_access"
  | "confirm_endpoints"
  | "sign_out"
  | "disconnect"
  | "open_config"
  | "enter_client"
  | "show_details"
  | "copy_details"
  | "retry_store";

/** The action of a server's state; `null` if its screen has its own controls. */
export function nextAction(server: ServerView): NextAction | null {
  const { status } = server;
  switch (status.state) {
    case "disabled":
      return "enable";
    case "paused":
      return "resume_all";
    case "connecting":
      return "stop";
    case "needs_sign_in":
      if (server.last_error?.code === "registration_unsupported") return "enter_client";
      if (server.endpoints_to_confirm) return "confirm_endpoints";
      return server.wants === "permission" ? "grant_access" : "sign_in";
    case "signing_in":
      return null;
    case "connected":
      if (server.wants) return server.wants === "permission" ? "grant_access" : "sign_in";
      if (server.endpoints_to_confirm) return "confirm_endpoints";
      if (isConnectedWithoutSignIn(server)) return "sign_in";
      return isSignedIn(server) ? "sign_out" : "disconnect";
    case "reconnecting":
      return "connect";
    case "failed":
      return errorAction(status.error);
  }
}

const ERROR_ACTIONS: Record<Code, NextAction> = {
  config_invalid: "open_config",
  server_unreachable: "connect",
  tls_failed: "connect",
  discovery_failed: "show_details",
  endpoints_unconfirmed: "confirm_endpoints",
  registration_unsupported: "enter_client",
  redirect_rejected: "sign_in_again",
  authorization_denied: "sign_in_again",
  authorization_expired: "sign_in_again",
  sign_in_required: "sign_in",
  insufficient_scope: "grant_access",
  secret_not_allowed: "open_config",
  approval_needed: "open_config",
  keychain_unavailable: "retry_store",
  keychain_locked: "retry_store",
  process_exited: "show_details",
  protocol_error: "show_details",
  engine_busy: "connect",
  internal: "copy_details",
};

/** The action for an error's code. */
export function errorAction(error: ErrorView): NextAction {
  const action = ERROR_ACTIONS[error.code];
  return action === "show_details" && !error.details ? "connect" : action;
}
