import { fireEvent, screen, waitFor, within } from "@testing-library/svelte";
import { describe, expect, it } from "vitest";

import { FakeBackend } from "../support/fake-backend";
import { error, server, snapshot } from "../support/views";
import { open } from "../support/window";

async function openAdd(backend = new FakeBackend({ servers: [] })) {
  const opened = await open(backend);
  await opened.user.click(screen.getByTestId("add-server"));
  return { ...opened, field: await screen.findByTestId("add-url") };
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
    expect(screen.getByTestId("entry-preview")).toHaveTextContent("you sign in with your browser");
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

  it("keeps the comments of pasted JSON, also when a field is changed", async () => {
    const { backend, user, field } = await openAdd();
    await user.click(field);
    await user.paste('// Ours.\n{ "command": "x", "args": ["a"] }');
    await user.type(await screen.findByTestId("entry-title"), "Notes");
    await user.click(screen.getByTestId("add-submit"));
    await waitFor(() => expect(backend.callsOf("entryAdd")).toHaveLength(1));
    const entry = { command: "x", args: ["a"], title: "Notes" };
    expect(added(backend)).toMatchObject({ entry: `// Ours.\n${JSON.stringify(entry, null, 2)}` });
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
