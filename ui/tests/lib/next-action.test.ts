import { describe, expect, it } from "vitest";

import type { Code } from "../../src/backend/bindings";
import { errorAction, nextAction } from "../../src/lib/next-action";
import { error, needsSignIn, server } from "../support/views";

describe("the action of an error", () => {
  const expected: Record<Code, string> = {
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

  it.each(Object.entries(expected))("%s: %s", (code, action) => {
    expect(errorAction(error(code as Code, "It failed.", { details: "why" }))).toBe(action);
  });

  it("is to try again if there are no details to show", () => {
    expect(errorAction(error("protocol_error", "It failed."))).toBe("connect");
  });
});

describe("the action of a state", () => {
  it("grants the permission that a connected service asks for", () => {
    const view = server({ last_error: error("insufficient_scope", "More permissions are needed.") });
    expect(nextAction(view)).toBe("grant_access");
  });

  it("asks for a client ID if the service does not support registration", () => {
    const view = server({
      ...needsSignIn("never_signed_in"),
      last_error: error("registration_unsupported", "Registration is not supported."),
    });
    expect(nextAction(view)).toBe("enter_client");
  });
});
