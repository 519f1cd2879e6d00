import { screen, waitFor, within } from "@testing-library/svelte";
import type { UserEvent } from "@testing-library/user-event";
import { describe, expect, it } from "vitest";

import { FakeBackend } from "../support/fake-backend";
import { elicitation, needsSignIn, server, signingIn, snapshot, tool } from "../support/views";
import { open, openWith } from "../support/window";

/** Presses an element with the keyboard. */
async function press(user: UserEvent, testid: string): Promise<HTMLElement> {
  const element = await screen.findByTestId(testid);
  element.focus();
  await user.keyboard("{Enter}");
  return element;
}

async function isGone(testid: string): Promise<void> {
  await waitFor(() => expect(screen.queryByTestId(testid)).toBeNull());
}

async function hasFocus(testid: string): Promise<void> {
  await waitFor(() => expect(document.activeElement).toBe(screen.getByTestId(testid)));
}

describe("a dialog returns the focus to the element that opened it", () => {
  it.each([
    ["tool-dialog", "tab-tools", "tool-search_pages"],
    ["resource-dialog", "tab-resources", "resource-scratch"],
    ["prompt-dialog", "tab-prompts", "prompt-plan_week"],
    ["confirm", "tab-details", "remove"],
  ])("%s", async (dialog, tab, opener) => {
    const { user } = await open();
    await press(user, tab);
    await press(user, opener);
    const sheet = await screen.findByTestId(dialog);
    await waitFor(() => expect(sheet).toContainElement(document.activeElement as HTMLElement));
    await user.keyboard("{Escape}");
    await isGone(dialog);
    await hasFocus(opener);
  });

  it("add-dialog, which focuses its first field", async () => {
    const { user } = await open(new FakeBackend({ servers: [] }));
    await press(user, "add-server");
    await screen.findByTestId("add-dialog");
    await hasFocus("add-url");
    await user.keyboard("{Escape}");
    await isGone("add-dialog");
    await hasFocus("add-server");
  });
});

describe("an elicitation during a call", () => {
  const schema = JSON.stringify({ type: "object", properties: { sure: { type: "boolean", title: "Sure" } } });

  it("is above the tool's dialog, handles Esc, and returns the focus to that dialog", async () => {
    const backend = new FakeBackend().hang("toolCall");
    backend.tools = [tool({ name: "whoami", input_schema: '{"type":"object"}' })];
    const { user } = await open(backend);
    await press(user, "tool-whoami");
    await press(user, "tool-run");
    (await screen.findByTestId("tool-cancel")).focus();
    backend.emit({ event: "elicitation_requested", revision: 11, elicitation: elicitation({ schema }) });
    const question = await screen.findByTestId("elicitation");
    await waitFor(() => expect(question).toContainElement(document.activeElement as HTMLElement));
    await user.keyboard("{Escape}");
    await isGone("elicitation");
    expect(backend.callsOf("elicitationAnswer")).toEqual([]);
    expect(backend.callsOf("toolCancel")).toEqual([]);
    await hasFocus("tool-cancel");
  });
});

describe("the focus stays in the main pane", () => {
  it("when the pressed button disappears because the status changes", async () => {
    const { backend, user } = await openWith(needsSignIn("expired"));
    await press(user, "sign-in");
    backend.emit({ event: "server_changed", revision: 11, view: server({ status: signingIn() }) });
    await screen.findByTestId("waiting");
    await waitFor(() => expect(document.activeElement).toBe(screen.getByRole("main")));
    await user.tab();
    await hasFocus("waiting-open-again");
  });

  it("when a service is added, and its page replaces the gallery", async () => {
    const backend = new FakeBackend({ servers: [] });
    const { user } = await open(backend);
    backend.current = snapshot({ revision: 11 });
    await press(user, "add-server");
    await user.type(await screen.findByTestId("add-url"), "mcp.example.com{Enter}");
    await screen.findByTestId("account");
    await waitFor(() => expect(document.activeElement).toBe(screen.getByRole("main")));
  });

  it("when a service is removed", async () => {
    const { backend, user } = await open(
      new FakeBackend({ servers: [server(), server({ id: "linear", name: "Linear", catalogue: "linear" })] }),
    );
    await press(user, "tab-details");
    await press(user, "remove");
    (await screen.findByTestId("remove-confirm")).focus();
    await user.keyboard("{Enter}");
    expect(backend.callsOf("serverRemove")).toEqual([["notion"]]);
    backend.emit({ event: "server_removed", revision: 11, id: "notion" });
    await screen.findByRole("heading", { level: 1, name: "Linear" });
    await waitFor(() => expect(document.activeElement).toBe(screen.getByRole("main")));
  });

  it("unless the person moved it away", async () => {
    const { backend, user } = await openWith({ status: { state: "needs_sign_in", reason: "expired" } });
    screen.getByTestId("sign-in").focus();
    (document.activeElement as HTMLElement).blur();
    backend.emit({ event: "server_changed", revision: 11, view: server() });
    await screen.findByTestId("account");
    expect(document.body).toHaveFocus();
    await user.tab();
    await hasFocus("server-notion");
  });
});

describe("a page", () => {
  it("starts at its top, and keeps its scroll position when its content changes", async () => {
    const { backend, user } = await open();
    const main = screen.getByRole("main");
    main.scrollTop = 300;
    backend.emit({ event: "server_changed", revision: 11, view: server({ name: "Notes" }) });
    await screen.findByRole("heading", { level: 1, name: "Notes" });
    expect(main.scrollTop).toBe(300);
    await user.click(screen.getByTestId("settings"));
    await screen.findByTestId("settings-page");
    expect(main.scrollTop).toBe(0);
  });
});

describe("the shortcuts for settings", () => {
  it.each(["{Control>},{/Control}", "{Meta>},{/Meta}"])("%s opens Settings", async (keys) => {
    const { user } = await open();
    await user.keyboard(keys);
    expect(await screen.findByTestId("settings-page")).toBeInTheDocument();
  });

  it("do nothing while a dialog is open", async () => {
    const { user } = await open();
    await press(user, "tool-search_pages");
    const dialog = await screen.findByTestId("tool-dialog");
    await user.keyboard("{Control>},{/Control}");
    expect(within(dialog).getByRole("heading", { level: 2 })).toHaveTextContent("Search pages");
    expect(screen.queryByTestId("settings-page")).toBeNull();
  });
});
