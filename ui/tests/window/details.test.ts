import { screen } from "@testing-library/svelte";
import { describe, expect, it } from "vitest";

import { FakeBackend } from "../support/fake-backend";
import { error, failed, program, server } from "../support/views";
import { open, openWith } from "../support/window";

describe("the log of a program", () => {
  const service = { transport: "stdio" as const, program: program({ is_approved: true }) };
  const withLog = (log: string[]) => Object.assign(new FakeBackend({ servers: [server(service)] }), { log });

  it("shows the last lines, and copies them", async () => {
    const { backend, user } = await open(withLog(["starting", "ready"]));
    await user.click(screen.getByTestId("tab-details"));
    expect(await screen.findByTestId("log-lines")).toHaveTextContent("starting ready");
    await user.click(screen.getByTestId("copy-log"));
    expect(await navigator.clipboard.readText()).toBe("starting\nready");
    expect(backend.callsOf("serverLog")[0]).toEqual(["notion"]);
  });

  it("follows a new line", async () => {
    const { backend, user } = await open(withLog([]));
    await user.click(screen.getByTestId("tab-details"));
    expect(await screen.findByText(/has written nothing/)).toBeInTheDocument();
    backend.log = ["first"];
    const view = server({ ...service, program: program({ is_approved: true, newest_line: "first" }) });
    backend.emit({ event: "server_changed", revision: 11, view });
    expect(await screen.findByTestId("log-lines")).toHaveTextContent("first");
  });

  it("explains why it could not be read", async () => {
    const { user } = await open(withLog([]).fail("serverLog", error("internal", "No log.")));
    await user.click(screen.getByTestId("tab-details"));
    expect(await screen.findByText("No log.")).toBeInTheDocument();
  });

  it("is shown only for a program that may run", async () => {
    const status = failed("approval_needed", "Not approved.");
    const { backend } = await openWith({ ...service, status, program: program() });
    expect(screen.queryByTestId("program-log")).toBeNull();
    expect(backend.callsOf("serverLog")).toEqual([]);
  });
});

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
