import { describe, expect, it } from "vitest";

import type { Code } from "../../src/backend/types";
import { errorAction, nextAction } from "../../src/lib/next-action";
import { error, oauth, server, signedOut } from "../support/views";

describe("the one action of an error", () => {
  const expected: Record<Code, string> = {
    config_invalid: "open_config",
    server_unreachable: "connect",
    tls_failed: "connect",
    discovery_failed: "show_details",
    registration_unsupported: "enter_client",
    redirect_rejected: "next_redirect",
    authorization_denied: "sign_in_again",
    authorization_expired: "sign_in_again",
    sign_in_required: "sign_in",
    insufficient_scope: "grant_access",
    keychain_unavailable: "retry_store",
    keychain_locked: "retry_store",
    process_exited: "show_details",
    protocol_error: "show_details",
    engine_busy: "connect",
    internal: "copy_details",
  };

  it.each(Object.entries(expected))("%s: %s", (code, kind) => {
    expect(errorAction(error(code as Code, "It went wrong.", { details: "why" }), server()).kind).toBe(kind);
  });

  it("tries again where there are no details to show", () => {
    expect(errorAction(error("protocol_error", "It went wrong."), server())).toEqual({ kind: "connect" });
  });

  it.each([
    [null, "link"],
    ["link", "link_with_host"],
    ["link_with_host", "loopback"],
    ["loopback", "paste"],
    ["paste", "paste"],
  ] as const)("after %s comes %s", (redirect, next) => {
    const view = server({ auth: oauth({ redirect }) });
    expect(errorAction(error("redirect_rejected", "No."), view)).toEqual({
      kind: "next_redirect",
      redirect: next,
    });
  });
});

describe("the one action of a state", () => {
  it("grants what a connected service wants more of", () => {
    const view = server({ last_error: error("insufficient_scope", "More is wanted.") });
    expect(nextAction(view)).toEqual({ kind: "grant_access" });
  });

  it("asks for a client id where the service registers nobody", () => {
    const view = server({
      status: { state: "needs_sign_in", reason: "never_signed_in" },
      auth: signedOut,
      last_error: error("registration_unsupported", "It registers nobody."),
    });
    expect(nextAction(view)).toEqual({ kind: "enter_client" });
  });
});
