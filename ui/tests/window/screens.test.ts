import { render, screen, waitFor } from "@testing-library/svelte";
import type { UserEvent } from "@testing-library/user-event";
import { describe, expect, it } from "vitest";

import App from "../../src/App.svelte";
import type { SecretStoreView } from "../../src/backend/bindings";
import { FakeBackend } from "../support/fake-backend";
import { config, elicitation, error, server, snapshot } from "../support/views";
import { open, openWith } from "../support/window";

describe("a reload of mcp.json", () => {
  it("is summarised in a bar until it is dismissed", async () => {
    const { backend, user } = await openWith({});
    const changes = {
      added: ["Linear", "Asana", "Miro", "Box", "Figma"],
      changed: [],
      removed: ["Old"],
      failed: ["Notes"],
    };
    backend.emit({ event: "config_reloaded", revision: 11, changes });
    expect(await screen.findByTestId("config-reloaded")).toHaveTextContent(
      "mcp.json was reloaded – added: Linear, Asana, Miro, … and 2 more; removed: Old; with an error: Notes",
    );
    await user.click(screen.getByTestId("config-reloaded-show"));
    expect(screen.queryByTestId("config-reloaded")).toBeNull();
  });
});

describe("the start", () => {
  it("waits while a command is running the engine, and continues automatically", async () => {
    const backend = new FakeBackend();
    backend.fail("snapshot", error("engine_busy", "The usher command is running."));
    render(App, { props: { backend } });
    expect(await screen.findByTestId("command-running")).toHaveTextContent(
      "The usher command is running in a terminal.",
    );
    expect(screen.queryByTestId("start-error")).toBeNull();
    backend.replace(backend.current);
    expect(await screen.findByTestId("service")).toBeInTheDocument();
  });

  it("shows why it failed, and starts again", async () => {
    const backend = new FakeBackend();
    backend.fail("snapshot", error("internal", "Another Usher is running."));
    const { user } = await open(backend);
    expect(screen.getByTestId("start-error")).toHaveTextContent("Another Usher is running.");
    backend.snapshot = () => Promise.resolve(backend.current);
    await user.click(screen.getByTestId("start-again"));
    expect(await screen.findByTestId("service")).toBeInTheDocument();
    expect(backend.callsOf("appRetry")).toEqual([[]]);
  });

  it("shows the services even if the catalogue fails", async () => {
    const backend = new FakeBackend();
    backend.fail("catalogueList", error("internal", "No catalogue."));
    await open(backend);
    expect(screen.getByTestId("service")).toBeInTheDocument();
  });
});

describe("a service that was requested in the tray", () => {
  const servers = [server(), server({ id: "linear", name: "Linear" })];

  it("is shown first in a window that was opened for it", async () => {
    const backend = new FakeBackend({ servers });
    backend.initialPage = "linear";
    await open(backend);
    expect(screen.getByRole("heading", { level: 1 })).toHaveTextContent("Linear");
  });

  it("replaces the current page, and is replaced when it is removed", async () => {
    const { backend, user } = await open(new FakeBackend({ servers }));
    expect(screen.getByRole("heading", { level: 1 })).toHaveTextContent("Notion");
    await user.click(screen.getByTestId("settings"));
    backend.requestPage("linear");
    await waitFor(() => expect(screen.getByRole("heading", { level: 1 })).toHaveTextContent("Linear"));
    expect(screen.queryByTestId("notice")).toBeNull();
    backend.requestPage("removed-service");
    await waitFor(() => expect(screen.getByRole("heading", { level: 1 })).toHaveTextContent("Notion"));
  });
});

describe("a click in the tray that failed", () => {
  it("is explained on the service's page", async () => {
    const { backend } = await openWith({});
    backend.requestPage("notion", error("internal", "Could not open the browser."));
    expect(await screen.findByTestId("notice")).toHaveTextContent("Could not open the browser.");
  });
});

describe("a link that opened the app", () => {
  it("shows a notice if its sign-in is gone", async () => {
    const backend = new FakeBackend();
    const view = error("authorization_expired", "This link belongs to no sign-in.", {
      hint: "Sign in again.",
    });
    backend.fail("startLink", view);
    const { user } = await open(backend);
    expect(await screen.findByTestId("notice")).toHaveTextContent(
      /belongs to no sign-in\..*Sign in again\./s,
    );
    await user.click(screen.getByTestId("notice-dismiss"));
    expect(screen.queryByTestId("notice")).toBeNull();
  });
});

describe("a secret store that cannot be used", () => {
  const missing: SecretStoreView = {
    kind: "keychain",
    error: error("keychain_unavailable", "The keychain does not respond.", {
      hint: "Choose a secret store.",
    }),
  };

  it("replaces every other screen, with help for this system", async () => {
    await openWith({}, { secret_store: missing });
    const page = await screen.findByTestId("keychain-error");
    expect(page).toHaveTextContent("No keychain found");
    expect(page).toHaveTextContent("Install and start gnome-keyring or KWallet");
    expect(page).not.toHaveTextContent("secret store");
    expect(screen.queryByTestId("sidebar")).toBeNull();
  });

  it.each([
    ["keychain-retry", "secretStoreRetry", []],
    ["keychain-use-file", "secretStoreChoose", ["file"]],
    ["keychain-use-memory", "secretStoreChoose", ["memory"]],
  ] as const)("%s calls %s %j", async (testid, verb, args) => {
    const { backend, user } = await openWith({}, { secret_store: missing });
    await user.click(await screen.findByTestId(testid));
    expect(backend.callsOf(verb)).toEqual([[...args]]);
  });

  it("distinguishes a locked keychain from a missing one", async () => {
    await openWith(
      {},
      { secret_store: { kind: "keychain", error: error("keychain_locked", "It does not open.") } },
    );
    expect(await screen.findByTestId("keychain-error")).toHaveTextContent(
      /Your keychain is locked.*Unlock it/s,
    );
  });

  it("offers the keychain again if the private file fails", async () => {
    const store: SecretStoreView = {
      kind: "file",
      path: "/x",
      error: error("keychain_unavailable", "Not yours.", { hint: "Make it a file of your own." }),
    };
    const { backend, user } = await openWith({}, { secret_store: store });
    expect(await screen.findByTestId("error-hint")).toHaveTextContent("Make it a file of your own.");
    await user.click(await screen.findByTestId("keychain-use-keychain"));
    expect(backend.callsOf("secretStoreChoose")).toEqual([["keychain"]]);
  });

  it("clears the errors that it caused", async () => {
    const backend = new FakeBackend({ servers: [] });
    backend.fail("demoAdd", error("keychain_unavailable", "The keychain does not respond."));
    const { user } = await open(backend);
    await user.click(screen.getByTestId("try-demo"));
    expect(await screen.findByRole("alert")).toBeInTheDocument();
    backend.emit({ event: "secret_store_changed", revision: 11, secret_store: missing });
    await screen.findByTestId("keychain-error");
    backend.replace(
      snapshot({ revision: 1, servers: [], secret_store: { kind: "file", path: "/x", error: null } }),
    );
    await screen.findByTestId("gallery");
    expect(screen.queryByRole("alert")).toBeNull();
  });

  it("is replaced once a store works, and the sidebar names a store other than the keychain", async () => {
    const { backend } = await openWith({}, { secret_store: missing });
    await screen.findByTestId("keychain-error");
    backend.replace(snapshot({ revision: 1, secret_store: { kind: "memory" } }));
    expect(await screen.findByTestId("store-note")).toHaveTextContent("kept only until Usher quits");
    expect(screen.queryByTestId("keychain-error")).toBeNull();
  });
});

describe("a broken mcp.json", () => {
  it("is shown with line and column above the services, which stay", async () => {
    const broken = {
      ...config,
      error: error("config_invalid", "A comma is missing.", { hint: "Put one at the end of line 3." }),
      line: 4,
      column: 12,
    };
    const { backend, user } = await openWith({}, { config: broken });
    const banner = screen.getByTestId("config-error");
    expect(banner).toHaveTextContent(
      /line 4, column 12.*A comma is missing\..*Put one at the end of line 3\./s,
    );
    expect(screen.getByTestId("service")).toBeInTheDocument();
    await user.click(screen.getByTestId("config-open"));
    expect(backend.callsOf("configOpen")).toEqual([[]]);
    backend.emit({ event: "config_changed", revision: 11, order: ["notion"], config });
    await waitFor(() => expect(screen.queryByTestId("config-error")).toBeNull());
  });
});

/** Clicks beside the open dialog, on the layer that covers the page. */
async function clickOutside(user: UserEvent): Promise<void> {
  const overlay = document.querySelector(".overlay");
  if (!overlay) throw new Error("there is no dialog");
  await user.click(overlay);
}

describe("an elicitation", () => {
  const form = elicitation({
    message: "Which notebook?",
    schema: JSON.stringify({
      type: "object",
      properties: { notebook: { type: "string", title: "Notebook", enum: ["Work", "Home"] } },
      required: ["notebook"],
    }),
  });
  const page = { ...form, schema: null, url: "https://www.notion.so/confirm?x=1" };

  it("names the service, and sends the form's values", async () => {
    const { backend, user } = await openWith({}, { elicitations: [form] });
    const dialog = await screen.findByTestId("elicitation");
    expect(dialog).toHaveAccessibleName(
      "The usher command is running “Create a page” on Notion (mcp.notion.com)",
    );
    expect(screen.getByTestId("elicitation-message")).toHaveTextContent("Which notebook?");
    expect(dialog).toHaveTextContent("comes from mcp.notion.com, not from Usher");
    expect(screen.getByTestId("elicitation-time")).toHaveTextContent(/^9:\d\d left to answer$/);
    await user.selectOptions(await screen.findByLabelText(/Notebook/), "Home");
    await user.click(screen.getByTestId("elicitation-accept"));
    await waitFor(() =>
      expect(backend.callsOf("elicitationAnswer")).toEqual([["q1", "accept", '{"notebook":"Home"}']]),
    );
  });

  it("says who asks in the call of the window, of an AI client, and outside a call", async () => {
    const own = elicitation({ id: "q1", program: "window" });
    const clients = elicitation({ id: "q2", program: { client: "Cursor" } });
    const unknown = elicitation({ id: "q3", program: null, tool: null });
    const { backend } = await openWith({}, { elicitations: [own, clients, unknown] });
    expect(await screen.findByTestId("elicitation")).toHaveAccessibleName(
      "You are running “Create a page” on Notion (mcp.notion.com)",
    );
    backend.emit({ event: "elicitation_ended", revision: 11, id: "q1" });
    await waitFor(() =>
      expect(screen.getByTestId("elicitation")).toHaveAccessibleName(
        "Cursor is running “Create a page” on Notion (mcp.notion.com)",
      ),
    );
    backend.emit({ event: "elicitation_ended", revision: 12, id: "q2" });
    await waitFor(() =>
      expect(screen.getByTestId("elicitation")).toHaveAccessibleName(
        "Notion (mcp.notion.com) asks a question outside a call",
      ),
    );
  });

  it("can be declined", async () => {
    const { backend, user } = await openWith({}, { elicitations: [form] });
    await user.click(await screen.findByTestId("elicitation-decline"));
    await waitFor(() => expect(backend.callsOf("elicitationAnswer")).toEqual([["q1", "decline", null]]));
  });

  it("is not answered by a click outside or by Esc, which puts it aside", async () => {
    const { backend, user } = await openWith({}, { elicitations: [form, { ...form, id: "q2" }] });
    await screen.findByTestId("elicitation");
    await clickOutside(user);
    expect(screen.getByTestId("elicitation")).toBeInTheDocument();
    await user.keyboard("{Escape}");
    expect(await screen.findByTestId("questions-waiting")).toHaveTextContent("1 question waits");
    await screen.findByTestId("elicitation");
    await user.click(screen.getByRole("button", { name: "Answer later" }));
    await waitFor(() => expect(screen.queryByTestId("elicitation")).toBeNull());
    expect(screen.getByTestId("questions-waiting")).toHaveTextContent("2 questions wait");
    expect(backend.callsOf("elicitationAnswer")).toEqual([]);

    await user.click(screen.getByTestId("questions-waiting-show"));
    expect(await screen.findByTestId("elicitation")).toBeInTheDocument();
    expect(screen.queryByTestId("questions-waiting")).toBeNull();
  });

  it("that was put aside shows again when its notification is clicked", async () => {
    const { backend, user } = await openWith({}, { elicitations: [form] });
    await screen.findByTestId("elicitation");
    await user.keyboard("{Escape}");
    await screen.findByTestId("questions-waiting");
    backend.requestPage("notion", null, { question: "q1" });
    expect(await screen.findByTestId("elicitation")).toBeInTheDocument();
  });

  it("can be forbidden, and the service's details allow it again", async () => {
    const { backend, user } = await openWith({}, { elicitations: [form] });
    await user.click(await screen.findByTestId("elicitation-block"));
    expect(backend.callsOf("serverVerb")).toEqual([["notion", "block_questions"]]);
    backend.emit({ event: "elicitation_ended", revision: 11, id: "q1" });
    backend.emit({
      event: "server_changed",
      revision: 12,
      view: server({ title: "Night notebook", questions_blocked: true }),
    });
    await waitFor(() => expect(screen.queryByTestId("elicitation")).toBeNull());
    await user.click(screen.getByRole("tab", { name: /Details/ }));
    expect(await screen.findByTestId("questions")).toHaveTextContent("Declined without asking you");
    expect(screen.getByTestId("own-title")).toHaveTextContent("“Night notebook”");
    await user.click(screen.getByTestId("allow-questions"));
    expect(backend.callsOf("serverVerb").slice(1)).toEqual([["notion", "allow_questions"]]);
  });

  it("shows the whole address of a page, and opens it only after a click", async () => {
    const { backend, user } = await openWith({}, { elicitations: [page] });
    expect(await screen.findByTestId("elicitation-url")).toHaveTextContent(
      "https://www.notion.so/confirm?x=1",
    );
    expect(backend.callsOf("linkOpen")).toEqual([]);
    await user.click(screen.getByRole("button", { name: "Open www.notion.so" }));
    expect(backend.callsOf("linkOpen")).toEqual([["https://www.notion.so/confirm?x=1"]]);
    await waitFor(() => expect(backend.callsOf("elicitationAnswer")).toEqual([["q1", "accept", null]]));
  });

  it("is not accepted if its page could not be opened", async () => {
    const backend = new FakeBackend({ elicitations: [{ ...page, url: "file:///etc/passwd" }] });
    backend.fail("linkOpen", error("internal", "Only https pages are opened."));
    const { user } = await open(backend);
    await user.click(await screen.findByTestId("elicitation-accept"));
    expect(await screen.findByRole("alert")).toHaveTextContent("Only https pages are opened.");
    expect(backend.callsOf("elicitationAnswer")).toEqual([]);
  });

  it("is closed when the service withdraws it", async () => {
    const { backend } = await openWith({}, { elicitations: [form] });
    await screen.findByTestId("elicitation");
    backend.emit({ event: "elicitation_ended", revision: 11, id: "q1" });
    await waitFor(() => expect(screen.queryByTestId("elicitation")).toBeNull());
  });
});

describe("settings", () => {
  it("changes the appearance, and restores it after an error", async () => {
    const { backend, user } = await open();
    await user.click(screen.getByTestId("settings"));
    await user.click(await screen.findByTestId("appearance-dark"));
    expect(backend.callsOf("appearanceSet")).toEqual([["dark"]]);
    expect(screen.getByTestId("appearance-dark")).toBeChecked();
    backend.fail("appearanceSet", error("internal", "It cannot be stored."));
    await user.click(screen.getByTestId("appearance-light"));
    expect(await screen.findByRole("alert")).toHaveTextContent("It cannot be stored.");
    await waitFor(() => expect(screen.getByTestId("appearance-dark")).toBeChecked());
  });

  it("shows the paths, the warnings and the version", async () => {
    const backend = new FakeBackend({
      config: { ...config, warnings: ["“transport” is treated as “type”."] },
      secret_store: { kind: "file", path: "/home/ada/secrets.json", error: null },
    });
    const { user } = await open(backend);
    await user.click(screen.getByTestId("settings"));
    const page = await screen.findByTestId("settings-page");
    for (const text of [
      "/home/ada/.config/usher/mcp.json",
      "“transport” is treated",
      "/home/ada/secrets.json",
      "Usher 0.1.0",
    ])
      expect(page).toHaveTextContent(text);
    await user.click(screen.getByTestId("use-keychain"));
    expect(backend.callsOf("secretStoreChoose")).toEqual([["keychain"]]);
  });
});

describe("the current page", () => {
  it("is the first one left when its service is removed, and the gallery after the last one", async () => {
    const { backend } = await open(
      new FakeBackend({ servers: [server(), server({ id: "linear", name: "Linear", catalogue: "linear" })] }),
    );
    backend.emit({ event: "server_removed", revision: 11, id: "notion" });
    expect(await screen.findByRole("heading", { level: 1, name: "Linear" })).toBeInTheDocument();
    backend.emit({ event: "server_removed", revision: 12, id: "linear" });
    expect(await screen.findByTestId("gallery")).toBeInTheDocument();
  });
});
