import { fireEvent, screen, waitFor, within } from "@testing-library/svelte";
import { describe, expect, it } from "vitest";

import { FakeBackend } from "../support/fake-backend";
import { checkOf } from "../support/entries";
import { error, server, snapshot } from "../support/views";
import { open } from "../support/window";

async function openAdd(backend = new FakeBackend({ servers: [] })) {
  const opened = await open(backend);
  await opened.user.click(screen.getByTestId("add-server"));
  return { ...opened, field: await screen.findByTestId("add-url") };
}

async function openEdit(backend = new FakeBackend()) {
  const opened = await open(backend);
  await opened.user.click(screen.getByTestId("tab-details"));
  await opened.user.click(screen.getByTestId("edit"));
  await screen.findByTestId("entry-title");
  return opened;
}

function added(backend: FakeBackend): Record<string, unknown> {
  const calls = backend.callsOf("entryAdd");
  expect(calls).toHaveLength(1);
  return calls[0]?.[0] as Record<string, unknown>;
}

describe("adding an entry", () => {
  it("previews an address, adds it and signs in", async () => {
    const { backend, user, field } = await openAdd();
    expect(screen.getByTestId("add-submit")).toBeDisabled();
    await user.type(field, "mcp.example.com/mcp");
    expect(await screen.findByTestId("entry-preview")).toHaveTextContent("https://mcp.example.com/mcp");
    expect(screen.getByTestId("entry-preview")).toHaveTextContent("You sign in in the browser");
    const view = server({ id: "example", name: "example", catalogue: null });
    backend.current = snapshot({ revision: 11, servers: [view] });
    await user.click(screen.getByTestId("add-submit"));
    await waitFor(() => expect(screen.queryByTestId("add-dialog")).toBeNull());
    expect(added(backend)).toEqual({
      name: "example",
      entry: JSON.stringify({ url: "https://mcp.example.com/mcp" }, null, 2),
      secrets: [],
      approved: null,
    });
    expect(backend.callsOf("serverSignIn")).toEqual([["example"]]);
  });

  it("says what answers at the address that was pasted", async () => {
    const backend = new FakeBackend({ servers: [] });
    backend.probe = { kind: "open", title: "Bee Notes", tools: 14 };
    const { user, field } = await openAdd(backend);
    await user.click(field);
    await user.paste("mcp.example.com/mcp");
    await waitFor(() => expect(screen.getByTestId("entry-probe")).toHaveTextContent("Found Bee Notes"));
    expect(screen.getByTestId("entry-probe")).toHaveTextContent("14");
    expect(backend.callsOf("entryProbe")).toHaveLength(1);
    await user.click(screen.getByTestId("add-submit"));
    await waitFor(() => expect(backend.callsOf("entryAdd")).toHaveLength(1));
    expect(backend.callsOf("entryProbe")).toHaveLength(1);
  });

  it("adds an address where nothing answers only after the person has seen that", async () => {
    const backend = new FakeBackend({ servers: [] });
    backend.probe = {
      kind: "failed",
      error: error("server_unreachable", "Could not reach mcp.example.com."),
    };
    const { user, field } = await openAdd(backend);
    await user.type(field, "mcp.example.com/mcp{Enter}");
    await waitFor(() => expect(screen.getByTestId("add-submit")).toHaveTextContent("Add anyway"));
    expect(screen.getByTestId("entry-probe")).toHaveTextContent("Could not reach mcp.example.com.");
    expect(backend.callsOf("entryAdd")).toEqual([]);

    // Another address is asked, too.
    await user.type(field, "2");
    await waitFor(() => expect(screen.getByTestId("add-submit")).toHaveTextContent("Add and sign in"));
    await user.type(field, "{Enter}");
    await waitFor(() => expect(screen.getByTestId("add-submit")).toHaveTextContent("Add anyway"));
    expect(backend.callsOf("entryAdd")).toEqual([]);
    await user.click(screen.getByTestId("add-submit"));
    await waitFor(() => expect(backend.callsOf("entryAdd")).toHaveLength(1));
  });

  it("does not ask about a program", async () => {
    const { backend, user, field } = await openAdd();
    await user.type(field, "npx -y some-server");
    await screen.findByTestId("entry-preview");
    await user.click(screen.getByTestId("add-submit"));
    await waitFor(() => expect(backend.callsOf("entryAdd")).toHaveLength(1));
    expect(backend.callsOf("entryProbe")).toEqual([]);
  });

  it("explains a text that is no server, and adds nothing with Enter", async () => {
    const { backend, user, field } = await openAdd();
    await user.type(field, "notaurl{Enter}");
    expect(await screen.findByText(/neither an address nor a command/)).toBeInTheDocument();
    expect(screen.getByTestId("add-submit")).toBeDisabled();
    expect(backend.callsOf("entryAdd")).toEqual([]);
  });

  it("shows the whole launch of a program, asks for its missing secret, and approves what was shown", async () => {
    const { backend, user, field } = await openAdd();
    await user.type(field, "npx server --key={{{{notes_key}}");
    const preview = await screen.findByTestId("entry-preview");
    expect(preview).toHaveTextContent("Program on this computer");
    expect(preview).toHaveTextContent("--key={{notes_key}}");
    expect(screen.getByTestId("add-submit")).toHaveTextContent("Add and start");
    expect(screen.getByTestId("add-submit")).toBeDisabled();
    const secret = screen.getByTestId("secret-notes_key");
    expect(secret).toHaveAttribute("type", "password");
    await user.type(secret, "k-1");
    await user.click(screen.getByTestId("add-submit"));
    await waitFor(() => expect(backend.callsOf("entryAdd")).toHaveLength(1));
    expect(added(backend)).toMatchObject({
      secrets: [{ place: { name: "notes_key" }, value: "k-1" }],
      approved: "digest of npx server --key={{notes_key}}",
    });
    expect(backend.callsOf("serverSignIn")).toEqual([]);
  });

  it("shows the launch of a program before Enter approves it", async () => {
    const { backend, user, field } = await openAdd();
    await fireEvent.input(field, { target: { value: "npx server --all" } });
    await fireEvent.keyDown(field, { key: "Enter" });
    expect(await screen.findByTestId("entry-preview")).toHaveTextContent("--all");
    expect(backend.callsOf("entryAdd")).toEqual([]);
    await user.type(field, "{Enter}");
    await waitFor(() => expect(backend.callsOf("entryAdd")).toHaveLength(1));
    expect(added(backend)).toMatchObject({ approved: "digest of npx server --all" });
  });

  it("lets the person choose one of several servers", async () => {
    const backend = new FakeBackend({ servers: [] });
    backend.check = (check) => ({ ...check, choices: ["a", "b"] });
    const { user, field } = await openAdd(backend);
    await user.type(field, "https://a.example");
    await user.selectOptions(await screen.findByTestId("entry-choice"), "b");
    await waitFor(() => expect(backend.callsOf("entryCheck").at(-1)).toEqual(["https://a.example", 1, null]));
  });

  it("drops the key of one server when the person chooses another", async () => {
    const backend = new FakeBackend({ servers: [] });
    backend.check = (check) => ({ ...check, choices: ["a", "b"] });
    const { user, field } = await openAdd(backend);
    await user.type(field, "https://a.example");
    await user.click(await screen.findByTestId("entry-settings"));
    await user.click(screen.getByTestId("api-key"));
    await user.type(await screen.findByTestId("api-key-value"), "k-1");
    await user.selectOptions(screen.getByTestId("entry-choice"), "b");
    await user.click(screen.getByTestId("add-submit"));
    await waitFor(() => expect(backend.callsOf("entryAdd")).toHaveLength(1));
    expect(added(backend)["secrets"]).toEqual([]);
  });

  it("sends an API key as a secret, never inside the entry", async () => {
    const { backend, user, field } = await openAdd();
    await user.type(field, "https://mcp.example.com");
    await user.click(await screen.findByTestId("entry-settings"));
    await user.click(screen.getByTestId("api-key"));
    await user.type(await screen.findByTestId("api-key-value"), "k-1");
    await waitFor(() => expect(screen.getByTestId("add-submit")).toHaveTextContent("Add and connect"));
    await user.click(screen.getByTestId("add-submit"));
    await waitFor(() => expect(backend.callsOf("entryAdd")).toHaveLength(1));
    expect(added(backend)["secrets"]).toEqual([
      { place: { setting: ["headers", "Authorization"] }, value: "Bearer k-1" },
    ]);
    expect(added(backend)["entry"]).not.toContain("k-1");
    expect(backend.callsOf("serverSignIn")).toEqual([]);
  });

  it("renames the header of a key", async () => {
    const { backend, user, field } = await openAdd();
    await user.type(field, "https://mcp.example.com");
    await user.click(await screen.findByTestId("entry-settings"));
    await user.click(screen.getByTestId("api-key"));
    await user.type(await screen.findByTestId("api-key-value"), "k-1");
    const header = screen.getByTestId("api-key-header");
    await user.clear(header);
    await user.type(header, "X-Api-Key");
    await user.tab();
    await user.click(screen.getByTestId("add-submit"));
    await waitFor(() => expect(backend.callsOf("entryAdd")).toHaveLength(1));
    expect(added(backend)["secrets"]).toEqual([
      { place: { setting: ["headers", "X-Api-Key"] }, value: "k-1" },
    ]);
    expect(JSON.parse(added(backend)["entry"] as string)).toEqual({
      url: "https://mcp.example.com",
      headers: { "X-Api-Key": "" },
    });
  });

  it("adds headers and the settings of the sign-in", async () => {
    const { backend, user, field } = await openAdd();
    await user.type(field, "https://mcp.example.com");
    await user.click(await screen.findByTestId("entry-settings"));
    await user.click(screen.getByTestId("headers-add"));
    const headers = within(screen.getByTestId("headers"));
    await user.type(headers.getByLabelText("Name 1"), "X-Team");
    await user.type(headers.getByLabelText("Value 1"), "red");
    await user.click(screen.getByText("Sign-in settings"));
    await user.type(screen.getByTestId("entry-client-id"), "id");
    await user.type(screen.getByTestId("entry-client-secret"), "s-1");
    await user.type(screen.getByTestId("entry-scopes"), "read write");
    await user.click(screen.getByTestId("add-submit"));
    await waitFor(() => expect(backend.callsOf("entryAdd")).toHaveLength(1));
    expect(JSON.parse(added(backend)["entry"] as string)).toEqual({
      url: "https://mcp.example.com",
      headers: { "X-Team": "red" },
      oauth: { clientId: "id", scopes: ["read", "write"] },
    });
    expect(added(backend)["secrets"]).toEqual([
      { place: { setting: ["oauth", "clientSecret"] }, value: "s-1" },
    ]);
  });

  it("does not add the entry of an earlier text", async () => {
    const { backend, user, field } = await openAdd();
    await user.type(field, "https://mcp.example.com");
    await user.click(await screen.findByTestId("entry-settings"));
    await user.click(screen.getByTestId("entry-json-toggle"));
    await user.clear(field);
    await user.type(field, "notaurl");
    expect(await screen.findByText(/neither an address nor a command/)).toBeInTheDocument();
    expect(screen.getByTestId("add-submit")).toBeDisabled();
    await user.clear(field);
    await user.type(field, "https://other.example{Enter}");
    await waitFor(() => expect(backend.callsOf("entryAdd")).toHaveLength(1));
    expect(JSON.parse(added(backend)["entry"] as string)).toEqual({ url: "https://other.example" });
  });

  it("keeps the dialog open if the engine rejects the entry", async () => {
    const backend = new FakeBackend({ servers: [] });
    backend.fail("entryAdd", error("config_invalid", "mcp.json is broken."));
    const { user, field } = await openAdd(backend);
    await user.type(field, "https://mcp.example.com{Enter}");
    expect(await screen.findByRole("alert")).toHaveTextContent("mcp.json is broken.");
    expect(screen.getByTestId("add-url")).toHaveValue("https://mcp.example.com");
  });
});

describe("another account", () => {
  function withSameAddress(): FakeBackend {
    const backend = new FakeBackend();
    const same_address = [{ server: "notion", name: "Notion", account: "ada@lovelace.example" }];
    backend.check = (check) => ({ ...check, draft: check.draft && { ...check.draft, same_address } });
    return backend;
  }

  async function paste() {
    const opened = await open(withSameAddress());
    await opened.user.click(screen.getByTestId("add-service"));
    await opened.user.click(screen.getByTestId("add-server"));
    await opened.user.type(await screen.findByTestId("add-url"), "https://mcp.notion.com/mcp");
    await screen.findByTestId("same-address");
    return opened;
  }

  it("is offered beside the service that exists", async () => {
    const { user } = await paste();
    expect(screen.getByTestId("same-address")).toHaveTextContent(
      "Already added as Notion (ada@lovelace.example).",
    );
    expect(screen.getByTestId("add-submit")).toBeDisabled();
    await user.click(screen.getByTestId("open-notion"));
    expect(await screen.findByRole("heading", { level: 1, name: "Notion" })).toBeInTheDocument();
    expect(screen.queryByTestId("add-dialog")).toBeNull();
  });

  it("is offered on the card of a service that is already added", async () => {
    const { backend, user } = await open(withSameAddress());
    await user.click(screen.getByTestId("add-service"));
    expect(screen.queryByTestId("account-linear")).toBeNull();
    await user.click(screen.getByRole("button", { name: "Add another account of Notion" }));
    const label = await screen.findByTestId("account-label");
    await waitFor(() => expect(label).toHaveFocus());
    expect(screen.getByTestId("add-url")).toHaveValue("https://mcp.notion.com/mcp");
    await user.type(label, "work");
    await user.click(screen.getByTestId("add-submit"));
    await waitFor(() => expect(backend.callsOf("entryAdd")).toHaveLength(1));
    expect(JSON.parse(added(backend)["entry"] as string)).toEqual({
      url: "https://mcp.notion.com/mcp",
      title: "Notion (work)",
    });
  });

  it("gets a title with its label", async () => {
    const { backend, user } = await paste();
    await user.click(screen.getByTestId("another-account"));
    await user.type(await screen.findByTestId("account-label"), "work");
    await user.click(screen.getByTestId("add-submit"));
    await waitFor(() => expect(backend.callsOf("entryAdd")).toHaveLength(1));
    expect(JSON.parse(added(backend)["entry"] as string)).toMatchObject({ title: "Notion (work)" });
  });
});

describe("editing an entry", () => {
  it("shows that there is a secret, and replaces or removes it", async () => {
    const { backend, user } = await openEdit();
    const stored = within(screen.getByTestId("stored-headers.X-Api-Key"));
    expect(stored.getByText("is in the secret store")).toBeInTheDocument();
    expect(screen.queryByDisplayValue(/notion_key/)).toBeNull();
    await user.click(stored.getByRole("button", { name: "Replace" }));
    await user.type(screen.getByTestId("replace-headers.X-Api-Key"), "k-2");
    await user.click(screen.getByTestId("add-submit"));
    await waitFor(() => expect(screen.queryByTestId("entry-dialog")).toBeNull());
    const [[id, version, input]] = backend.callsOf("entryReplace") as [[string, string, object]];
    expect([id, version]).toEqual(["notion", "v1"]);
    expect(input).toMatchObject({ secrets: [{ place: { name: "notion_key" }, value: "k-2" }] });
    expect((input as { entry: string }).entry).toContain("// Mine.");
  });

  it("keeps the lines of a pasted private key", async () => {
    const { backend, user } = await openEdit();
    const stored = within(screen.getByTestId("stored-headers.X-Api-Key"));
    await user.click(stored.getByRole("button", { name: "Replace" }));
    await user.click(screen.getByTestId("replace-headers.X-Api-Key"));
    const key = "-----BEGIN PRIVATE KEY-----\nMC4CAQ==\n-----END PRIVATE KEY-----\n";
    await user.paste(key);
    const lines = await screen.findByTestId("replace-headers.X-Api-Key-lines");
    expect(lines).toHaveValue(key);
    await waitFor(() => expect(lines).toHaveFocus());
    await user.click(screen.getByTestId("add-submit"));
    await waitFor(() => expect(backend.callsOf("entryReplace")).toHaveLength(1));
    expect(backend.callsOf("entryReplace")[0]?.[2]).toMatchObject({
      secrets: [{ place: { name: "notion_key" }, value: key }],
    });
  });

  it("removes a secret with its setting", async () => {
    const { backend, user } = await openEdit();
    await user.click(
      within(screen.getByTestId("stored-headers.X-Api-Key")).getByRole("button", { name: "Remove" }),
    );
    await user.click(screen.getByTestId("add-submit"));
    await waitFor(() => expect(backend.callsOf("entryReplace")).toHaveLength(1));
    const { entry } = backend.callsOf("entryReplace")[0]?.[2] as { entry: string };
    const rest = { url: "https://mcp.notion.com/mcp", headers: { "X-Team": "red" } };
    expect(entry).toBe(`// Mine.\n${JSON.stringify(rest, null, 2)}`);
  });

  it("keeps the comments when a field is changed", async () => {
    const { backend, user } = await openEdit();
    await user.type(screen.getByTestId("entry-title"), "Notes");
    await user.click(screen.getByTestId("entry-json-toggle"));
    const json = await screen.findByTestId("entry-json");
    expect((json as HTMLTextAreaElement).value).toMatch(/^\/\/ Mine\.\n\{[^]*"title": "Notes"/);
    await fireEvent.input(json, {
      target: { value: '// Ours.\n{ "url": "https://mcp.example.com/mcp" }' },
    });
    await user.click(screen.getByTestId("entry-json-toggle"));
    await user.type(await screen.findByTestId("entry-title"), "Bees");
    await user.click(screen.getByTestId("add-submit"));
    await waitFor(() => expect(backend.callsOf("entryReplace")).toHaveLength(1));
    const { entry } = backend.callsOf("entryReplace")[0]?.[2] as { entry: string };
    const changed = { url: "https://mcp.example.com/mcp", title: "Bees" };
    expect(entry).toBe(`// Ours.\n${JSON.stringify(changed, null, 2)}`);
  });

  it("saves the fields even if the comments cannot be kept", async () => {
    const backend = new FakeBackend().fail("entryMerge", error("config_invalid", "Its comments cannot be kept."));
    const { user } = await openEdit(backend);
    await user.type(screen.getByTestId("entry-title"), "Notes");
    await user.click(screen.getByTestId("add-submit"));
    await waitFor(() => expect(backend.callsOf("entryReplace")).toHaveLength(1));
    const { entry } = backend.callsOf("entryReplace")[0]?.[2] as { entry: string };
    expect(JSON.parse(entry)).toMatchObject({ title: "Notes" });
  });

  it("has fields for the icon and for the authorization request", async () => {
    const { backend, user } = await openEdit();
    await user.type(screen.getByTestId("entry-icon"), "📓");
    await user.click(screen.getByText("Sign-in settings"));
    await user.type(screen.getByTestId("entry-audience"), "https://api.example.com");
    await user.type(screen.getByTestId("entry-prompt"), " login  consent ");
    const parameters = within(screen.getByTestId("parameters"));
    await user.click(screen.getByTestId("parameters-add"));
    await user.type(parameters.getByLabelText("Value 1"), "acme");
    await user.type(parameters.getByLabelText("Name 1"), "organization");
    await user.tab();
    await user.click(screen.getByTestId("add-submit"));
    await waitFor(() => expect(backend.callsOf("entryReplace")).toHaveLength(1));
    const { entry } = backend.callsOf("entryReplace")[0]?.[2] as { entry: string };
    expect(JSON.parse(entry.replace("// Mine.", ""))).toMatchObject({
      icon: "📓",
      oauth: {
        audience: "https://api.example.com",
        prompt: "login consent",
        parameters: { organization: "acme" },
      },
    });
  });

  it("shows why a parameter is not allowed, and removes it", async () => {
    const backend = new FakeBackend();
    const { user } = await openEdit(backend);
    const message = "The parameter `state` is set by Usher.";
    const problem = { is_error: true, message, hint: "Remove it.", line: 4, column: 7 };
    const accepted = backend.check;
    backend.check = () => ({ draft: null, problems: [problem], choices: [] });
    await user.click(screen.getByText("Sign-in settings"));
    await user.click(screen.getByTestId("parameters-add"));
    const parameters = within(screen.getByTestId("parameters"));
    await user.type(parameters.getByLabelText("Name 1"), "state");
    await user.tab();
    expect(await screen.findByText(message)).toBeInTheDocument();
    expect(screen.getByText("Remove it.")).toBeInTheDocument();
    const [, checked] = backend.callsOf("entryCheckReplacement").at(-1) as [string, string];
    expect(checked).toContain('"state": ""');
    backend.check = accepted;
    await user.click(parameters.getByRole("button", { name: "Remove row 1" }));
    await waitFor(() => expect(screen.queryByText(message)).toBeNull());
    const [, left] = backend.callsOf("entryCheckReplacement").at(-1) as [string, string];
    expect(left).not.toContain("parameters");
  });

  it("offers no more parameters than mcp.json allows", async () => {
    const { user } = await openEdit();
    await user.click(screen.getByText("Sign-in settings"));
    const add = screen.getByTestId("parameters-add");
    for (let row = 0; row < 20; row += 1) await user.click(add);
    expect(add).toBeDisabled();
    expect(screen.getByTestId("headers-add")).toBeEnabled();
  });

  it("edits the JSON with its comments, and shows the line of an error", async () => {
    const backend = new FakeBackend();
    const { user } = await openEdit(backend);
    await user.click(screen.getByTestId("entry-json-toggle"));
    const json = screen.getByTestId("entry-json");
    expect((json as HTMLTextAreaElement).value).toContain("// Mine.");
    await user.clear(json);
    await user.type(json, "nonsense here {{{{");
    backend.check = () => ({
      draft: null,
      problems: [{ is_error: true, message: "Unexpected word.", hint: null, line: 3, column: 1 }],
      choices: [],
    });
    await user.type(json, "x");
    expect(await screen.findByText(/Unexpected word/)).toHaveTextContent("Line 3: Unexpected word.");
  });

  it("says what saving deletes before it is saved", async () => {
    const backend = new FakeBackend();
    backend.check = (check) => ({
      ...check,
      draft: check.draft && { ...check.draft, removes: { grant: true, secrets: ["notion_key"] } },
    });
    const { user } = await openEdit(backend);
    expect(screen.queryByTestId("entry-removals")).toBeNull();
    await user.type(screen.getByTestId("entry-description"), "x");
    const removals = await screen.findByTestId("entry-removals");
    expect(removals).toHaveTextContent("Saving signs you out of Notion");
    expect(removals).toHaveTextContent("notion_key");
    expect(backend.callsOf("entryReplace")).toEqual([]);
  });

  it("opens the JSON of an entry with an error", async () => {
    const backend = new FakeBackend({
      servers: [server({ status: { state: "failed", error: error("config_invalid", "Broken.") } })],
    });
    const read = { text: "{ oops }", version: "v1", check: { ...checkOf("notaurl") } };
    backend.entry = read;
    const { user } = await open(backend);
    await user.click(screen.getByTestId("edit"));
    expect(await screen.findByTestId("entry-json")).toHaveValue("{ oops }");
  });
});
