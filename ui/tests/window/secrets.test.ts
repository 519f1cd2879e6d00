import { fireEvent, screen, waitFor, within } from "@testing-library/svelte";
import { describe, expect, it } from "vitest";

import { FakeBackend } from "../support/fake-backend";
import { secretList, secretUse, secretView } from "../support/secrets";
import { error, secondsFromNow, server } from "../support/views";
import { open, type Opened } from "../support/window";

async function openSecrets(backend = new FakeBackend()): Promise<Opened> {
  const opened = await open(backend);
  await opened.user.click(screen.getByTestId("settings"));
  await opened.user.click(await screen.findByTestId("secrets-open"));
  await screen.findByTestId("secrets-page");
  await waitFor(() => expect(backend.callsOf("secrets").length).toBeGreaterThan(0));
  return opened;
}

function withSecrets(list: Parameters<typeof secretList>[0]): FakeBackend {
  const backend = new FakeBackend();
  backend.secretList = secretList(list);
  return backend;
}

async function card(name: string) {
  return within(await screen.findByTestId(`secret-${name}`));
}

describe("the page of the secrets", () => {
  it("shows who uses a secret, who may get it, and its last use", async () => {
    await openSecrets();
    const key = await card("notion_key");
    expect(key.getByTestId("secret-uses")).toHaveTextContent(
      /Notion – header X-Api-Key.*GitHub – client secret · off/s,
    );
    expect(key.getByTestId("secret-origins")).toHaveTextContent("https://mcp.notion.com");
    expect(key.getByTestId("secret-origins")).toHaveTextContent(
      "https://api.githubcopilot.com – not allowed",
    );
    expect(key.getByTestId("secret-last-used")).toHaveTextContent("In use now");
    expect((await card("old_key")).getByTestId("secret-uses")).toHaveTextContent("Not used");
    expect((await card("old_key")).getByTestId("secret-last-used")).toHaveTextContent("Never");
    const missing = within(screen.getByTestId("secrets-list-missing"));
    expect(missing.getByText("files_token")).toBeInTheDocument();
    expect(missing.getByTestId("secret-uses")).toHaveTextContent("files – environment variable TOKEN");
    const variables = within(screen.getByTestId("secrets-list-variables"));
    expect(variables.getByText("${TEAM}")).toBeInTheDocument();
    expect(variables.queryByRole("button", { name: /Remove|Replace/ })).toBeNull();
  });

  it.each([
    [["headers", "X-Key"], "header X-Key"],
    [["env", "KEY"], "environment variable KEY"],
    [["args"], "arguments of the program"],
    [["command"], "command"],
    [["cwd"], "folder"],
    [["oauth", "clientSecret"], "client secret"],
    [["oauth", "privateKey"], "private key"],
    [["oauth", "assertion"], "assertion"],
    [["oauth", "identityProvider", "clientSecret"], "client secret at the identity provider"],
    [["oauth", "identityProvider", "idToken"], "ID token"],
    [["a", "new", "setting"], "a.new.setting"],
  ])("names the setting %j", async (setting, words) => {
    await openSecrets(withSecrets({ secrets: [secretView({ uses: [secretUse({ setting })] })] }));
    const uses = (await card("notion_key")).getByTestId("secret-uses");
    expect(uses.textContent?.replaceAll(/\s+/g, " ").trim()).toBe(`Notion – ${words}`);
  });

  it.each([
    [-59 * 60, "Less than an hour ago"],
    [-2 * 3600 - 60, "2 hours ago"],
    [-3 * 86_400 - 60, "3 days ago"],
  ])("shows a use %d s ago", async (seconds, words) => {
    await openSecrets(withSecrets({ secrets: [secretView({ last_used: secondsFromNow(seconds) })] }));
    expect((await card("notion_key")).getByTestId("secret-last-used")).toHaveTextContent(words);
  });

  it("says that there are none", async () => {
    await openSecrets(withSecrets({ secrets: [] }));
    expect(await screen.findByTestId("secrets-empty")).toBeInTheDocument();
  });

  it("does not call a secret unused if an entry cannot be read", async () => {
    await openSecrets(withSecrets({ unknown_entries: ["corp"] }));
    expect(await screen.findByTestId("secrets-unknown")).toHaveTextContent("corp");
    expect((await card("old_key")).getByTestId("secret-uses")).toHaveTextContent("No known use");
  });

  it("explains that mcp.json cannot be read", async () => {
    const config_error = error("config_invalid", "A brace is missing.", { hint: "Add it on line 3." });
    await openSecrets(withSecrets({ config_error }));
    expect(await screen.findByTestId("error")).toHaveTextContent(
      /does not know which services.*Add it on line 3/s,
    );
  });

  it("keeps the list after an error, and shows the error", async () => {
    const { backend } = await openSecrets();
    await card("notion_key");
    backend.fail("secrets", error("keychain_locked", "The keychain is locked."));
    backend.emit({
      event: "server_changed",
      revision: 11,
      view: server({ status: { state: "connecting" } }),
    });
    expect(await screen.findByRole("alert")).toHaveTextContent("The keychain is locked.");
    await card("notion_key");
  });

  it("is loaded again when a service connects or the file changes, and not for other events", async () => {
    const { backend } = await openSecrets();
    await card("notion_key");
    const loads = () => backend.callsOf("secrets").length;
    const before = loads();
    backend.emit({ event: "tools_changed", revision: 11, id: "notion" });
    backend.emit({ event: "server_changed", revision: 12, view: server({ title: "Another title" }) });
    backend.secretList = secretList({ secrets: [secretView({ name: "new_key" })] });
    backend.emit({ event: "server_changed", revision: 13, view: server({ status: { state: "disabled" } }) });
    await card("new_key");
    expect(loads()).toBe(before + 1);
    expect(screen.queryByTestId("secret-notion_key")).toBeNull();
  });

  it("leads to the service, and back to the settings", async () => {
    const { user } = await openSecrets();
    await user.click(screen.getByTestId("secrets-back"));
    expect(await screen.findByTestId("settings-page")).toBeInTheDocument();
    await user.click(screen.getByTestId("secrets-open"));
    await user.click((await card("notion_key")).getByRole("button", { name: "Notion" }));
    await waitFor(() => expect(screen.queryByTestId("secrets-page")).toBeNull());
    expect(screen.getByRole("heading", { level: 1 })).toHaveTextContent("Notion");
  });
});

describe("a secret's value", () => {
  it("is stored under a new name, and is nowhere in the window afterwards", async () => {
    const { backend, user } = await openSecrets();
    await user.click(screen.getByTestId("secret-new"));
    const name = await screen.findByTestId("secret-name");
    expect(name).toHaveFocus();
    expect(screen.getByTestId("secret-save")).toBeDisabled();
    await user.type(name, " weather_key ");
    const value = screen.getByTestId("secret-value");
    expect(value).toHaveAttribute("type", "password");
    await user.type(value, "hush{Enter}");
    await waitFor(() => expect(screen.queryByTestId("secret-dialog")).toBeNull());
    expect(backend.callsOf("secretAdd")).toEqual([["weather_key", "hush"]]);
    expect(screen.getByTestId("secret-changed")).toHaveTextContent("weather_key is stored.");
    await user.click(screen.getByTestId("secret-new"));
    expect(await screen.findByTestId("secret-value")).toHaveValue("");
    expect(document.documentElement.outerHTML).not.toContain("hush");
  });

  it("stays in the form after an error", async () => {
    const backend = new FakeBackend();
    backend.fail("secretAdd", error("config_invalid", "There is already a secret named “a”."));
    const { user } = await openSecrets(backend);
    await user.click(screen.getByTestId("secret-new"));
    await user.type(await screen.findByTestId("secret-name"), "a");
    await user.type(screen.getByTestId("secret-value"), "hush");
    await user.click(screen.getByTestId("secret-save"));
    const dialog = within(screen.getByTestId("secret-dialog"));
    expect(await dialog.findByRole("alert")).toHaveTextContent("already a secret");
    expect(screen.getByTestId("secret-value")).toHaveValue("hush");
    await user.keyboard("{Escape}");
    await user.click(screen.getByTestId("secret-new"));
    expect(await screen.findByTestId("secret-value")).toHaveValue("");
    expect(screen.queryByRole("alert")).toBeNull();
  });

  it("is replaced, after the services were named", async () => {
    const { backend, user } = await openSecrets();
    await user.click(
      (await card("notion_key")).getByRole("button", { name: "Replace the value of notion_key" }),
    );
    expect(await screen.findByTestId("secret-services")).toHaveTextContent("Notion, GitHub");
    expect(screen.getByTestId("secret-value")).toHaveFocus();
    await user.type(screen.getByTestId("secret-value"), "new");
    await user.click(screen.getByTestId("secret-save"));
    await waitFor(() => expect(screen.queryByTestId("secret-dialog")).toBeNull());
    expect(backend.callsOf("secretSet")).toEqual([["notion_key", "new"]]);
  });

  it("is entered for a missing secret", async () => {
    const { backend, user } = await openSecrets();
    await user.click(
      (await card("files_token")).getByRole("button", { name: "Enter the value of files_token" }),
    );
    expect(await screen.findByTestId("secret-services")).toHaveTextContent("Needed by: files");
    await user.type(screen.getByTestId("secret-value"), "t{Enter}");
    await waitFor(() => expect(backend.callsOf("secretSet")).toEqual([["files_token", "t"]]));
  });

  it("keeps the lines of a pasted key", async () => {
    const { backend, user } = await openSecrets();
    await user.click(await screen.findByTestId("secret-set-notion_key"));
    const key = "-----BEGIN KEY-----\nabc\n-----END KEY-----\n";
    const clipboardData = { getData: () => key };
    await fireEvent.paste(await screen.findByTestId("secret-value"), { clipboardData });
    const lines = await screen.findByTestId("secret-value-lines");
    expect(lines).toHaveValue(key);
    expect(lines).toHaveFocus();
    await user.click(screen.getByTestId("secret-save"));
    await waitFor(() => expect(backend.callsOf("secretSet")).toEqual([["notion_key", key]]));
  });
});

describe("a value that is being stored", () => {
  it("can be changed only after an error, and its dialog stays open", async () => {
    const { backend, user } = await openSecrets();
    const release = backend.fail("secretSet", error("internal", "The disk is full.")).hold("secretSet");
    await user.click((await card("notion_key")).getByTestId("secret-set-notion_key"));
    await user.type(await screen.findByTestId("secret-value"), "k-2");
    await user.click(screen.getByTestId("secret-save"));
    await waitFor(() => expect(screen.getByTestId("secret-value")).toBeDisabled());
    for (const name of ["Close", "Cancel"]) expect(screen.getByRole("button", { name })).toBeDisabled();
    await user.keyboard("{Escape}");
    release();
    const dialog = within(screen.getByTestId("secret-dialog"));
    expect(await dialog.findByRole("alert")).toHaveTextContent("The disk is full.");
    await waitFor(() => expect(screen.getByTestId("secret-value")).toBeEnabled());
    expect(screen.getByTestId("secret-value")).toHaveValue("k-2");
  });
});

describe("the origins of a secret", () => {
  it("are withdrawn and allowed by name", async () => {
    const { backend, user } = await openSecrets();
    const key = await card("notion_key");
    const name = "Withdraw the permission to send notion_key to https://mcp.notion.com";
    await user.click(key.getByRole("button", { name }));
    expect(backend.callsOf("secretDisallow")).toEqual([["notion_key", "https://mcp.notion.com"]]);
    await waitFor(() => expect(screen.getByTestId("secret-changed")).toHaveTextContent("is not sent there"));
    await user.click(key.getByRole("button", { name: "Allow notion_key for https://api.githubcopilot.com" }));
    expect(backend.callsOf("secretAllow")).toEqual([["notion_key", "https://api.githubcopilot.com"]]);
    await user.click(
      (await card("${TEAM}")).getByRole("button", {
        name: /^Withdraw .* \$\{TEAM\} to https:\/\/mcp.linear/,
      }),
    );
    expect(backend.callsOf("secretDisallow")[1]).toEqual(["${TEAM}", "https://mcp.linear.app"]);
  });

  it("stay after an error, which is gone on the next page", async () => {
    const backend = new FakeBackend();
    backend.fail("secretDisallow", error("internal", "The disk is full."));
    const { user } = await openSecrets(backend);
    await user.click((await card("notion_key")).getByTestId("secret-withdraw"));
    expect(await screen.findByRole("alert")).toHaveTextContent("The disk is full.");
    expect(screen.getByTestId("secret-changed")).toBeEmptyDOMElement();
    await user.click(screen.getByTestId("secrets-back"));
    await user.click(await screen.findByTestId("secrets-open"));
    await card("notion_key");
    expect(screen.queryByRole("alert")).toBeNull();
  });
});

describe("removing a secret", () => {
  it("names the services that stop working, and removes nothing before the answer", async () => {
    const { backend, user } = await openSecrets();
    await user.click((await card("notion_key")).getByRole("button", { name: "Remove notion_key" }));
    const confirm = await screen.findByTestId("confirm");
    expect(confirm).toHaveTextContent("stop working until you enter the secret again: Notion, GitHub (off).");
    await user.click(screen.getByTestId("remove-cancel"));
    expect(backend.callsOf("secretRemove")).toEqual([]);
    await user.click(screen.getByTestId("secret-remove-notion_key"));
    backend.secretList = secretList({ secrets: [] });
    await user.click(await screen.findByTestId("remove-confirm"));
    await waitFor(() => expect(backend.callsOf("secretRemove")).toEqual([["notion_key"]]));
    expect(await screen.findByTestId("secrets-empty")).toBeInTheDocument();
    expect(screen.getByTestId("secret-changed")).toHaveTextContent("notion_key is removed.");
    expect(document.body).not.toHaveFocus();
  });

  it("says that nothing uses it, or that this is unknown", async () => {
    const { user } = await openSecrets();
    await user.click(await screen.findByTestId("secret-remove-old_key"));
    expect(await screen.findByTestId("confirm")).toHaveTextContent("No service uses this secret.");
  });

  it("does not say that nothing uses it if an entry cannot be read", async () => {
    const { user } = await openSecrets(withSecrets({ unknown_entries: ["corp"] }));
    await user.click(await screen.findByTestId("secret-remove-old_key"));
    const confirm = await screen.findByTestId("confirm");
    expect(confirm).toHaveTextContent("Services with an error in mcp.json may use it too.");
    expect(confirm).not.toHaveTextContent("No service uses");
  });
});
