import { screen, waitFor, within } from "@testing-library/svelte";
import { describe, expect, it } from "vitest";

import type { NeedsSignIn, ServerView } from "../../src/backend/bindings";
import type { Call } from "../support/fake-backend";
import {
  connected,
  error,
  failed,
  needsSignIn,
  oauth,
  secondsFromNow,
  server,
  signedOut,
} from "../support/views";
import { openWith } from "../support/window";

type Row = {
  name: string;
  view: Partial<ServerView>;
  word: string;
  text: RegExp;
  /** The label of the state's action, and the backend call that it makes. */
  button: string;
  call: Call;
};

function needs(reason: NeedsSignIn, word: string, text: RegExp, button: string): Row {
  return {
    name: `needs sign-in: ${reason}`,
    view: needsSignIn(reason),
    word,
    text,
    button,
    call: ["serverSignIn", "notion"],
  };
}

const rows: Row[] = [
  {
    name: "disabled",
    view: { status: { state: "disabled" } },
    word: "Off",
    text: /Notion is turned off\..*You stay signed in/,
    button: "Turn on",
    call: ["serverEnable", "notion"],
  },
  {
    name: "disabled, never signed in to",
    view: { status: { state: "disabled" }, auth: signedOut },
    word: "Off",
    text: /Notion is turned off\.\s*Turn it on to use its tools\./,
    button: "Turn on",
    call: ["serverEnable", "notion"],
  },
  {
    name: "paused",
    view: { status: { state: "paused" } },
    word: "Paused",
    text: /Notion is paused\..*All services stay disconnected/,
    button: "Resume all",
    call: ["serversResume"],
  },
  {
    name: "connecting",
    view: { status: { state: "connecting" } },
    word: "Connecting",
    text: /Connecting to Notion/,
    button: "Stop",
    call: ["serverDisconnect", "notion"],
  },
  needs("never_signed_in", "Sign-in needed", /Sign in to use Notion/, "Sign in to Notion"),
  needs("expired", "Sign-in needed", /has expired/, "Sign in to Notion"),
  needs(
    "refresh_interrupted",
    "Sign-in needed",
    /could not finish refreshing your sign-in/,
    "Sign in to Notion",
  ),
  needs("denied", "Sign-in needed", /Access to Notion was denied/, "Sign in to Notion"),
  needs("insufficient_scope", "Permission needed", /Notion asks for more permissions/, "Grant access"),
  needs("registration_lost", "Sign-in needed", /Notion no longer recognises Usher/, "Sign in to Notion"),
  needs("refresh_rejected", "Sign-in needed", /Notion no longer refreshes your sign-in/, "Sign in to Notion"),
  needs("signed_out", "Sign-in needed", /You are signed out of Notion/, "Sign in to Notion"),
  {
    name: "connected, with an account",
    view: { status: connected },
    word: "Connected",
    text: /Signed in as ada@lovelace.example/,
    button: "Sign out",
    call: ["serverSignOut", "notion"],
  },
  {
    name: "connected, with a 401 inside a tool's result",
    view: {
      status: connected,
      last_error: error("sign_in_required", "Notion says that you are signed out."),
    },
    word: "Sign-in needed",
    text: /Notion says that you are signed out/,
    button: "Sign in to Notion",
    call: ["serverSignIn", "notion"],
  },
  {
    name: "connected, with a call that lacks permission",
    view: { status: connected, last_error: error("insufficient_scope", "More permissions are needed.") },
    word: "Permission needed",
    text: /Signed in as ada@lovelace.example.*More permissions are needed/s,
    button: "Grant access",
    call: ["serverSignIn", "notion"],
  },
  {
    name: "connected, without a known account",
    view: { status: connected, auth: oauth({ account: null }) },
    word: "Connected",
    text: /Signed in/,
    button: "Sign out",
    call: ["serverSignOut", "notion"],
  },
  {
    name: "connected, without a sign-in",
    view: { status: connected, auth: { kind: "none" } },
    word: "Connected",
    text: /No sign-in needed/,
    button: "Disconnect",
    call: ["serverDisconnect", "notion"],
  },
  {
    name: "connected, without a sign-in that some calls need",
    view: { status: connected, auth: signedOut },
    word: "Connected, not signed in",
    text: /Connected, but not signed in.*Some tools of Notion need you to sign in/s,
    button: "Sign in to Notion",
    call: ["serverSignIn", "notion"],
  },
  {
    name: "needs sign-in: the endpoints belong to another site",
    view: {
      ...needsSignIn("never_signed_in"),
      last_error: error("endpoints_unconfirmed", "To sign in, as.example opens a page of page.example."),
      endpoints_to_confirm: {
        issuer: "as.example",
        page: "page.example",
        token: "as.example",
        foreign: ["page.example"],
      },
    },
    word: "Sign-in needed",
    text: /as\.example opens a page of page\.example/,
    button: "Trust these hosts and sign in",
    call: ["serverConfirmEndpoints", "notion", ["page.example"]],
  },
  {
    name: "reconnecting",
    view: {
      status: {
        state: "reconnecting",
        attempt: 3,
        next_at: secondsFromNow(9),
        why: error("server_unreachable", "Could not reach mcp.notion.com.", {
          hint: "Check your connection.",
        }),
      },
    },
    word: "Reconnecting",
    text: /Could not reach mcp.notion.com.*Check your connection.*Trying again in \d+ s \(attempt 3\)/s,
    button: "Try again now",
    call: ["serverConnect", "notion"],
  },
  {
    name: "failed: unreachable",
    view: { status: failed("server_unreachable", "There is no such host.") },
    word: "Needs attention",
    text: /There is no such host/,
    button: "Try again now",
    call: ["serverConnect", "notion"],
  },
  {
    name: "failed: redirect rejected",
    view: {
      status: failed("redirect_rejected", "Notion does not accept links."),
      auth: oauth({ signed_in: false, redirect: "link_with_host" }),
    },
    word: "Needs attention",
    text: /Notion does not accept links/,
    button: "Sign in again",
    call: ["serverSignIn", "notion"],
  },
  {
    name: "failed: denied",
    view: {
      status: failed("authorization_denied", "You denied access."),
      auth: signedOut,
    },
    word: "Needs attention",
    text: /You denied access/,
    button: "Sign in again",
    call: ["serverSignIn", "notion"],
  },
  {
    name: "failed: the entry has an error",
    view: {
      address: "",
      status: failed("config_invalid", "Notion has an error in mcp.json, line 4: this server has no `url`.", {
        hint: 'Add "url".',
      }),
      last_error: error(
        "config_invalid",
        "Notion has an error in mcp.json, line 4: this server has no `url`.",
      ),
      entry_error: { line: 4, column: 5 },
      auth: { kind: "unknown" },
    },
    word: "Error in mcp.json",
    text: /Notion has an error in mcp\.json, line 4: this server has no `url`\..*Add "url"/s,
    button: "Open mcp.json",
    call: ["configOpen"],
  },
  {
    name: "failed: keychain locked",
    view: { status: failed("keychain_locked", "The keychain is locked.") },
    word: "Needs attention",
    text: /The keychain is locked/,
    button: "Try again now",
    call: ["secretStoreRetry"],
  },
];

describe("a service's page", () => {
  it.each(rows)("$name", async ({ view, word, text, button, call }) => {
    const { backend, user } = await openWith(view);
    expect(screen.getByTestId("status")).toHaveTextContent(word);
    const card = screen.getByTestId("state-card");
    expect(card).toHaveTextContent(text);
    const buttons = within(card).queryAllByRole("button");
    expect(buttons.map((one) => one.textContent?.trim())).toEqual([button]);
    await user.click(within(card).getByRole("button", { name: button }));
    const [method, ...args] = call;
    expect(backend.callsOf(method)).toEqual([args]);
  });

  it("shows a state as a shape as well as a word", async () => {
    await openWith({ status: { state: "needs_sign_in", reason: "expired" } });
    expect(screen.getByTestId("status").querySelector("svg")).toHaveAttribute("data-shape", "needs_you");
    expect(screen.getByTestId("server-notion")).toHaveTextContent("Sign-in needed");
  });

  it("of an entry with an error only offers to open the file and to remove the entry", async () => {
    await openWith({
      address: "",
      status: failed("config_invalid", "Notion has an error."),
      entry_error: { line: 4, column: 5 },
    });
    expect(screen.getByTestId("server-notion")).toHaveTextContent("Error in mcp.json · line 4");
    for (const absent of ["reconnect", "disable", "sign-in"]) expect(screen.queryByTestId(absent)).toBeNull();
    expect(screen.getByTestId("remove")).toBeEnabled();
  });

  it("shows the person's note and icon", async () => {
    await openWith({ description: "For work only.", icon: "👩‍💻 and more" });
    expect(screen.getByTestId("description")).toHaveTextContent("For work only.");
    expect(screen.getByTestId("server-notion")).toHaveTextContent(/^👩‍💻\s/);
  });

  it("opens the details of an error that has some", async () => {
    const { user } = await openWith({
      status: failed("discovery_failed", "It returned a web page.", {
        hint: "It may be down.",
        details: "got text/html",
      }),
    });
    expect(screen.getByTestId("error-hint")).toHaveTextContent("It may be down.");
    await user.click(screen.getByRole("button", { name: "Show details" }));
    // If the details are open, the action is to try again.
    expect(screen.getByTestId("error-action")).toHaveTextContent("Try again now");
    expect(screen.getByText("got text/html").closest("details")).toHaveAttribute("open");
  });

  it("copies the details of an internal error", async () => {
    const { user } = await openWith({
      status: failed("internal", "It broke.", { details: "at line 1" }),
    });
    await user.click(screen.getByTestId("copy-details"));
    expect(await navigator.clipboard.readText()).toBe("It broke. (internal)\n\nat line 1");
    expect(await screen.findByText("Copied")).toBeInTheDocument();
  });

  it("asks for a client ID if the service does not support registration", async () => {
    const { backend, user } = await openWith({
      status: failed("registration_unsupported", "Registration is not supported."),
      auth: signedOut,
    });
    await user.click(screen.getByRole("button", { name: "Enter a client ID" }));
    await user.type(await screen.findByTestId("client-id"), " abc ");
    await user.type(screen.getByTestId("client-secret"), "s3cret");
    await user.click(screen.getByTestId("set-up-submit"));
    expect(backend.callsOf("serverSignIn")).toEqual([
      ["notion", { client_id: "abc", client_secret: "s3cret" }],
    ]);
  });

  it("keeps the client ID and the secret if the sign-in does not start", async () => {
    const { backend, user } = await openWith({
      status: failed("registration_unsupported", "Registration is not supported."),
      auth: signedOut,
    });
    backend.fail("serverSignIn", error("server_unreachable", "There is no connection."));
    await user.click(screen.getByRole("button", { name: "Enter a client ID" }));
    await user.type(await screen.findByTestId("client-id"), "abc");
    await user.type(screen.getByTestId("client-secret"), "s3cret");
    await user.click(screen.getByTestId("set-up-submit"));
    expect(await screen.findByText("There is no connection.")).toBeInTheDocument();
    expect(screen.getByTestId("client-id")).toHaveValue("abc");
    expect(screen.getByTestId("client-secret")).toHaveValue("s3cret");
  });

  it("shows the last error beside the state", async () => {
    await openWith({
      ...needsSignIn("expired"),
      last_error: error("server_unreachable", "There is no connection."),
    });
    expect(screen.getByTestId("error")).toHaveTextContent("There is no connection.");
  });

  it("puts the action beside the error only if it resolves the error", async () => {
    const { backend } = await openWith({
      last_error: error("insufficient_scope", "More permissions are needed."),
    });
    expect(within(screen.getByTestId("error")).getByRole("button")).toHaveTextContent("Grant access");
    const view = server({ last_error: error("protocol_error", "The reply is invalid.") });
    backend.emit({ event: "server_changed", revision: 11, view });
    expect(await screen.findByText("The reply is invalid.")).toBeInTheDocument();
    expect(within(screen.getByTestId("error")).queryByRole("button")).toBeNull();
    expect(screen.getByTestId("sign-out")).toBeEnabled();
  });

  it.each([
    ["expired", "sign_in_required"],
    ["denied", "authorization_denied"],
    ["registration_lost", "sign_in_required"],
    ["refresh_interrupted", "sign_in_required"],
    ["refresh_rejected", "sign_in_required"],
  ] as const)("collapses an error that repeats “%s”", async (reason, code) => {
    await openWith({
      ...needsSignIn(reason),
      last_error: error(code, "invalid_grant at the token endpoint"),
    });
    expect(screen.queryByTestId("error")).toBeNull();
    const details = screen.getByTestId("state-details");
    expect(details).not.toHaveAttribute("open");
    expect(details).toHaveTextContent("invalid_grant at the token endpoint");
  });

  it("shows an error once if both the state and the last command have it", async () => {
    const view = error("registration_unsupported", "Registration is not supported.");
    const { backend, user } = await openWith(needsSignIn("never_signed_in"));
    backend.fail("serverSignIn", view);
    await user.click(screen.getByTestId("sign-in"));
    expect(await screen.findByText("Registration is not supported.")).toBeInTheDocument();
    const changed = server({ ...needsSignIn("never_signed_in"), last_error: view });
    backend.emit({ event: "server_changed", revision: 11, view: changed });
    await waitFor(() => expect(screen.getByTestId("enter-client")).toBeInTheDocument());
    expect(screen.getAllByText("Registration is not supported.")).toHaveLength(1);
  });

  it("shows the error of a failed command", async () => {
    const { backend, user } = await openWith({ status: { state: "disabled" } });
    backend.fail("serverEnable", error("config_invalid", "The file cannot be written."));
    await user.click(screen.getByTestId("enable"));
    expect(await screen.findByRole("alert")).toHaveTextContent("The file cannot be written.");
  });
});
