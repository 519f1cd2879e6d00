import { screen, waitFor, within } from "@testing-library/svelte";
import { describe, expect, it } from "vitest";

import type { NeedsSignIn, ServerView } from "../../src/backend/types";
import { FakeBackend, type Call } from "../support/fake-backend";
import { connected, error, inSeconds, oauth, server, signedOut } from "../support/views";
import { open, openWith } from "../support/window";

type Row = {
  name: string;
  view: Partial<ServerView>;
  word: string;
  text: RegExp;
  /** The one action: its words, and what it asks of the backend. */
  button: string | null;
  asks: Call | null;
};

function needs(reason: NeedsSignIn, word: string, text: RegExp, button: string): Row {
  return {
    name: `needs sign-in: ${reason}`,
    view: { status: { state: "needs_sign_in", reason }, auth: signedOut },
    word,
    text,
    button,
    asks: ["serverSignIn", "notion"],
  };
}

const rows: Row[] = [
  {
    name: "disabled",
    view: { status: { state: "disabled" } },
    word: "Off",
    text: /Notion is turned off\..*You stay signed in/,
    button: "Turn on",
    asks: ["serverEnable", "notion"],
  },
  {
    name: "disabled, never signed in to",
    view: { status: { state: "disabled" }, auth: signedOut },
    word: "Off",
    text: /Notion is turned off\.\s*Turn it on to use its tools\./,
    button: "Turn on",
    asks: ["serverEnable", "notion"],
  },
  {
    name: "paused",
    view: { status: { state: "paused" } },
    word: "Paused",
    text: /Notion is paused, as all services are/,
    button: "Resume all",
    asks: ["serversResume"],
  },
  {
    name: "unsupported",
    view: { status: { state: "unsupported", why: "Local servers come later." } },
    word: "Not supported yet",
    text: /Local servers come later/,
    button: "Open mcp.json",
    asks: ["configOpen"],
  },
  {
    name: "connecting",
    view: { status: { state: "connecting" } },
    word: "Connecting",
    text: /Connecting to Notion/,
    button: "Stop",
    asks: ["serverDisconnect", "notion"],
  },
  needs("never_signed_in", "Sign-in needed", /Sign in to use Notion/, "Sign in to Notion"),
  needs("expired", "Sign-in needed", /has ended/, "Sign in to Notion"),
  needs("refresh_interrupted", "Sign-in needed", /renewal.*was cut off/, "Sign in to Notion"),
  needs("refused", "Sign-in needed", /did not let Usher in/, "Sign in to Notion"),
  needs("more_permission_needed", "Permission needed", /Notion wants more permission/, "Grant access"),
  needs("registration_lost", "Sign-in needed", /has forgotten Usher/, "Sign in to Notion"),
  needs("signed_out", "Sign-in needed", /You are signed out of Notion/, "Sign in to Notion"),
  {
    name: "connected, with an account",
    view: { status: connected },
    word: "Connected",
    text: /Signed in as ada@lovelace.example/,
    button: "Sign out",
    asks: ["serverSignOut", "notion"],
  },
  {
    name: "connected, with a refusal inside a tool's result",
    view: {
      status: connected,
      last_error: error("sign_in_required", "Notion says that you are signed out."),
    },
    word: "Sign-in needed",
    text: /Notion says that you are signed out/,
    button: "Sign in to Notion",
    asks: ["serverSignIn", "notion"],
  },
  {
    name: "connected, with a call refused for want of permission",
    view: { status: connected, last_error: error("insufficient_scope", "More is wanted.") },
    word: "Permission needed",
    text: /Signed in as ada@lovelace.example.*More is wanted/s,
    button: "Grant access",
    asks: ["serverSignIn", "notion"],
  },
  {
    name: "connected, without a known account",
    view: { status: connected, auth: oauth({ account: null }) },
    word: "Connected",
    text: /Signed in/,
    button: "Sign out",
    asks: ["serverSignOut", "notion"],
  },
  {
    name: "connected, without a sign-in",
    view: { status: connected, auth: { kind: "none" } },
    word: "Connected",
    text: /asks for no sign-in/,
    button: "Disconnect",
    asks: ["serverDisconnect", "notion"],
  },
  {
    name: "reconnecting",
    view: {
      status: {
        state: "reconnecting",
        attempt: 3,
        next_at: inSeconds(9),
        why: error("server_unreachable", "mcp.notion.com cannot be reached.", {
          hint: "Check your connection.",
        }),
      },
    },
    word: "Reconnecting",
    text: /mcp.notion.com cannot be reached.*Check your connection.*Trying again in \d+ s \(attempt 3\)/s,
    button: "Try again now",
    asks: ["serverConnect", "notion"],
  },
  {
    name: "failed: unreachable",
    view: { status: { state: "failed", error: error("server_unreachable", "There is no such host.") } },
    word: "Needs attention",
    text: /There is no such host/,
    button: "Try again now",
    asks: ["serverConnect", "notion"],
  },
  {
    name: "failed: redirect rejected",
    view: {
      status: { state: "failed", error: error("redirect_rejected", "Notion takes no links.") },
      auth: oauth({ signed_in: false, redirect: "link_with_host" }),
    },
    word: "Needs attention",
    text: /Notion takes no links/,
    button: "Try the next way back",
    asks: ["serverSignIn", "notion", "loopback"],
  },
  {
    name: "failed: denied",
    view: {
      status: { state: "failed", error: error("authorization_denied", "You said no.") },
      auth: signedOut,
    },
    word: "Needs attention",
    text: /You said no/,
    button: "Sign in again",
    asks: ["serverSignIn", "notion"],
  },
  {
    name: "failed: keychain locked",
    view: { status: { state: "failed", error: error("keychain_locked", "The keychain is locked.") } },
    word: "Needs attention",
    text: /The keychain is locked/,
    button: "Try again now",
    asks: ["secretStoreRetry"],
  },
];

describe("a service's page", () => {
  it.each(rows)("$name", async ({ view, word, text, button, asks }) => {
    const { backend, user } = await openWith(view);
    expect(screen.getByTestId("status")).toHaveTextContent(word);
    const card = screen.getByTestId("state-card");
    expect(card).toHaveTextContent(text);
    const buttons = within(card).queryAllByRole("button");
    expect(buttons.map((one) => one.textContent?.trim())).toEqual(button === null ? [] : [button]);
    if (button === null || asks === null) return;
    await user.click(within(card).getByRole("button", { name: button }));
    const [verb, ...args] = asks;
    expect(backend.asked(verb)).toEqual([args]);
  });

  it("shows a state as a shape as well as a word", async () => {
    await openWith({ status: { state: "needs_sign_in", reason: "expired" } });
    expect(screen.getByTestId("status").querySelector("svg")).toHaveAttribute("data-shape", "needs_you");
    expect(screen.getByTestId("server-notion")).toHaveTextContent("Sign-in needed");
  });

  it("opens the details of an error that has some", async () => {
    const { user } = await openWith({
      status: {
        state: "failed",
        error: error("discovery_failed", "It answered with a page.", {
          hint: "It may be down.",
          details: "got text/html",
        }),
      },
    });
    expect(screen.getByTestId("error-hint")).toHaveTextContent("It may be down.");
    await user.click(screen.getByRole("button", { name: "Show the details" }));
    // They are in sight: what is left to do is to try again.
    expect(screen.getByTestId("error-action")).toHaveTextContent("Try again now");
    expect(screen.getByText("got text/html").closest("details")).toHaveAttribute("open");
  });

  it("copies the details of an inner error", async () => {
    const { user } = await openWith({
      status: { state: "failed", error: error("internal", "It broke.", { details: "at line 1" }) },
    });
    await user.click(screen.getByTestId("copy-details"));
    expect(await navigator.clipboard.readText()).toBe("It broke. (internal)\n\nat line 1");
    expect(await screen.findByText("Copied")).toBeInTheDocument();
  });

  it("asks for a client id where the service registers nobody", async () => {
    const { backend, user } = await openWith({
      status: { state: "failed", error: error("registration_unsupported", "It registers nobody.") },
      auth: signedOut,
    });
    await user.click(screen.getByRole("button", { name: "Enter a client ID" }));
    await user.type(await screen.findByTestId("client-id"), " abc ");
    await user.type(screen.getByTestId("client-secret"), "s3cret");
    await user.click(screen.getByTestId("set-up-submit"));
    expect(backend.asked("serverSignIn")).toEqual([
      ["notion", { client_id: "abc", client_secret: "s3cret" }],
    ]);
  });

  it("shows the last error beside the state", async () => {
    await openWith({
      status: { state: "needs_sign_in", reason: "expired" },
      auth: signedOut,
      last_error: error("server_unreachable", "There is no connection."),
    });
    expect(screen.getByTestId("error")).toHaveTextContent("There is no connection.");
  });

  it("puts the one action beside the error only where it settles it", async () => {
    const { backend } = await openWith({ last_error: error("insufficient_scope", "More is wanted.") });
    expect(within(screen.getByTestId("error")).getByRole("button")).toHaveTextContent("Grant access");
    const view = server({ last_error: error("protocol_error", "It said something odd.") });
    backend.tell({ event: "server_changed", revision: 11, view });
    expect(await screen.findByText("It said something odd.")).toBeInTheDocument();
    expect(within(screen.getByTestId("error")).queryByRole("button")).toBeNull();
    expect(screen.getByTestId("sign-out")).toBeEnabled();
  });

  it.each([
    ["expired", "sign_in_required"],
    ["refused", "authorization_denied"],
    ["registration_lost", "sign_in_required"],
    ["refresh_interrupted", "sign_in_required"],
  ] as const)("folds away what says “%s” a second time", async (reason, code) => {
    await openWith({
      status: { state: "needs_sign_in", reason },
      auth: signedOut,
      last_error: error(code, "invalid_grant at the token endpoint"),
    });
    expect(screen.queryByTestId("error")).toBeNull();
    const fold = screen.getByTestId("state-details");
    expect(fold).not.toHaveAttribute("open");
    expect(fold).toHaveTextContent("invalid_grant at the token endpoint");
  });

  it("tells an error once, although the state and the refused press both have it", async () => {
    const { Refusal } = await import("../../src/backend/backend");
    const view = error("registration_unsupported", "It registers nobody.");
    const backend = new FakeBackend({
      servers: [server({ status: { state: "needs_sign_in", reason: "never_signed_in" }, auth: signedOut })],
    });
    backend.answer("serverSignIn", new Refusal(view));
    const { user } = await open(backend);
    await user.click(screen.getByTestId("sign-in"));
    expect(await screen.findByText("It registers nobody.")).toBeInTheDocument();
    const told = server({
      status: { state: "needs_sign_in", reason: "never_signed_in" },
      auth: signedOut,
      last_error: view,
    });
    backend.tell({ event: "server_changed", revision: 11, view: told });
    await waitFor(() => expect(screen.getByTestId("enter-client")).toBeInTheDocument());
    expect(screen.getAllByText("It registers nobody.")).toHaveLength(1);
  });

  it("shows what a refused command says", async () => {
    const { backend, user } = await openWith({ status: { state: "disabled" } });
    const { Refusal } = await import("../../src/backend/backend");
    backend.answer("serverEnable", new Refusal(error("config_invalid", "The file cannot be written.")));
    await user.click(screen.getByTestId("enable"));
    expect(await screen.findByRole("alert")).toHaveTextContent("The file cannot be written.");
  });
});

describe("the details", () => {
  it("names account, permissions, expiry and the protocol's own facts", async () => {
    const { user } = await openWith({});
    await user.click(screen.getByTestId("tab-details"));
    expect(screen.getByTestId("scopes")).toHaveTextContent("pages:read");
    expect(screen.getByTestId("expiry")).toHaveTextContent("in 52 minutes – renewed by itself");
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
    ["paused", "not renewed while paused"],
    ["disabled", "not renewed while turned off"],
  ] as const)("promises no renewal while it is %s", async (state, words) => {
    await openWith({ status: { state } });
    expect(screen.getByTestId("expiry")).toHaveTextContent(words);
  });

  it("promises nothing while it has failed", async () => {
    await openWith({ status: { state: "failed", error: error("tls_failed", "No secure connection.") } });
    expect(screen.getByTestId("expiry")).toHaveTextContent(/^in 52 minutes$/);
  });

  it("names no end of a sign-in that is lost", async () => {
    await openWith({ status: { state: "needs_sign_in", reason: "expired" } });
    expect(screen.getByTestId("scopes")).toHaveTextContent("pages:read");
    expect(screen.queryByTestId("expiry")).toBeNull();
  });

  it("signs out where the one action is another", async () => {
    const { backend, user } = await openWith({ last_error: error("insufficient_scope", "More is wanted.") });
    expect(screen.queryByTestId("sign-out")).toBeNull();
    await user.click(screen.getByTestId("tab-details"));
    await user.click(screen.getByTestId("sign-out"));
    expect(backend.asked("serverSignOut")).toEqual([["notion"]]);
  });

  it("reconnects and turns off", async () => {
    const { backend, user } = await openWith({});
    await user.click(screen.getByTestId("tab-details"));
    await user.click(screen.getByTestId("reconnect"));
    await user.click(screen.getByTestId("disable"));
    expect(backend.asked("serverConnect")).toEqual([["notion"]]);
    expect(backend.asked("serverDisable")).toEqual([["notion"]]);
  });

  it("asks before it removes, with the safe answer in focus", async () => {
    const { backend, user } = await openWith({ status: { state: "disabled" } });
    await user.click(screen.getByTestId("remove"));
    const cancel = await screen.findByTestId("remove-cancel");
    await expect.poll(() => document.activeElement).toBe(cancel);
    await user.click(cancel);
    expect(backend.asked("serverRemove")).toEqual([]);
    await user.click(screen.getByTestId("remove"));
    await user.click(await screen.findByTestId("remove-confirm"));
    expect(backend.asked("serverRemove")).toEqual([["notion"]]);
  });
});
