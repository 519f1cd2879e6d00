import { screen } from "@testing-library/svelte";
import { describe, expect, it } from "vitest";

import { error, failed } from "../support/views";
import { openWith } from "../support/window";

describe("the Details tab", () => {
  it("shows the account, the permissions, the expiry and the protocol details", async () => {
    const { user } = await openWith({});
    await user.click(screen.getByTestId("tab-details"));
    expect(screen.getByTestId("scopes")).toHaveTextContent("pages:read");
    expect(screen.getByTestId("expiry")).toHaveTextContent("in 52 minutes – refreshed automatically");
    const details = screen.getByTestId("protocol-details");
    for (const fact of [
      "Streamable HTTP",
      "2026-07-28",
      "https://mcp.notion.com",
      "cl_8Yk2Qm1xVb4",
      "Dynamic client registration",
      "dev.usher.desktop:/oauth/callback",
      "https://mcp.notion.com/mcp",
    ]) {
      expect(details).toHaveTextContent(fact);
    }
  });

  it.each([
    ["paused", "not refreshed while paused"],
    ["disabled", "not refreshed while turned off"],
  ] as const)("promises no refresh while the service is %s", async (state, words) => {
    await openWith({ status: { state } });
    expect(screen.getByTestId("expiry")).toHaveTextContent(words);
  });

  it("promises no refresh after a failure", async () => {
    await openWith({ status: failed("tls_failed", "No secure connection.") });
    expect(screen.getByTestId("expiry")).toHaveTextContent(/^in 52 minutes$/);
  });

  it("shows no expiry of an expired sign-in", async () => {
    await openWith({ status: { state: "needs_sign_in", reason: "expired" } });
    expect(screen.getByTestId("scopes")).toHaveTextContent("pages:read");
    expect(screen.queryByTestId("expiry")).toBeNull();
  });

  it("has the button to sign out if the state has another action", async () => {
    const { backend, user } = await openWith({
      last_error: error("insufficient_scope", "More permissions are needed."),
    });
    expect(screen.queryByTestId("sign-out")).toBeNull();
    await user.click(screen.getByTestId("tab-details"));
    await user.click(screen.getByTestId("sign-out"));
    expect(backend.callsOf("serverSignOut")).toEqual([["notion"]]);
  });

  it("reconnects and turns off the service", async () => {
    const { backend, user } = await openWith({});
    await user.click(screen.getByTestId("tab-details"));
    await user.click(screen.getByTestId("reconnect"));
    await user.click(screen.getByTestId("disable"));
    expect(backend.callsOf("serverConnect")).toEqual([["notion"]]);
    expect(backend.callsOf("serverDisable")).toEqual([["notion"]]);
  });

  it("asks for confirmation before it removes a service, with the focus on the safe button", async () => {
    const { backend, user } = await openWith({ status: { state: "disabled" } });
    await user.click(screen.getByTestId("remove"));
    const cancel = await screen.findByTestId("remove-cancel");
    await expect.poll(() => document.activeElement).toBe(cancel);
    await user.click(cancel);
    expect(backend.callsOf("serverRemove")).toEqual([]);
    await user.click(screen.getByTestId("remove"));
    await user.click(await screen.findByTestId("remove-confirm"));
    expect(backend.callsOf("serverRemove")).toEqual([["notion"]]);
  });
});
