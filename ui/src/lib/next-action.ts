import type { ErrorView, ServerView } from "../backend/types";
import { isSignedIn } from "./account";

/** The one action that a state or an error offers. */
export type NextAction =
  | "enable"
  | "resume_all"
  | "connect"
  | "stop"
  | "sign_in"
  | "sign_in_again"
  | "grant_access"
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
    case "unsupported":
      return "open_config";
    case "connecting":
      return "stop";
    case "needs_sign_in":
      if (server.last_error?.code === "registration_unsupported") return "enter_client";
      return status.reason === "more_permission_needed" ? "grant_access" : "sign_in";
    case "signing_in":
      return null;
    case "connected":
      switch (server.wants) {
        case "permission":
          return "grant_access";
        case "sign_in":
          return "sign_in";
        case null:
          return isSignedIn(server) ? "sign_out" : "disconnect";
      }
      break;
    case "reconnecting":
      return "connect";
    case "failed":
      return errorAction(status.error);
  }
}

/** The action that an error's code stands for. */
export function errorAction(error: ErrorView): NextAction {
  switch (error.code) {
    case "config_invalid":
      return "open_config";
    case "server_unreachable":
    case "tls_failed":
    case "engine_busy":
      return "connect";
    case "discovery_failed":
    case "process_exited":
    case "protocol_error":
      return error.details ? "show_details" : "connect";
    case "registration_unsupported":
      return "enter_client";
    case "redirect_rejected":
    case "authorization_denied":
    case "authorization_expired":
      return "sign_in_again";
    case "sign_in_required":
      return "sign_in";
    case "insufficient_scope":
      return "grant_access";
    case "keychain_unavailable":
    case "keychain_locked":
      return "retry_store";
    case "internal":
      return "copy_details";
  }
}
