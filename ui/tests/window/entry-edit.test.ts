import { fireEvent, screen, waitFor, within } from "@testing-library/svelte";
import { describe, expect, it } from "vitest";

import { FakeBackend } from "../support/fake-backend";
import { checkOf } from "../support/entries";
import { error, failed, server } from "../support/views";
import { open } from "../support/window";

async function openEdit(backend = new FakeBackend()) {
  const opened = await open(backend);
  await opened.user.click(screen.getByTestId("tab-details"));
  await opened.user.click(screen.getByTestId("edit"));
  await screen.findByTestId("entry-title");
  return opened;
}

/** A backend whose checks find no secret that is missing. */
function withoutSecrets(): FakeBackend {
  const backend = new FakeBackend();
  backend.check = (check) => ({ ...check, draft: check.draft && { ...check.draft, secrets: [] } });
  return backend;
}

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

  it("saves nothing while the fields cannot be written beside the comments", async () => {
    const backend = withoutSecrets();
    backend.fail("entryMerge", error("config_invalid", "Its comments would be lost."));
    const { user } = await openEdit(backend);
    await user.type(screen.getByTestId("entry-title"), "Notes");
    await user.click(screen.getByTestId("add-submit"));
    expect(await screen.findByText("Its comments would be lost.")).toBeInTheDocument();
    await user.click(screen.getByTestId("entry-json-toggle"));
    expect(screen.queryByTestId("entry-json")).toBeNull();
    expect(screen.getByTestId("entry-title")).toHaveValue("Notes");
    expect(backend.callsOf("entryReplace")).toEqual([]);
    // The next attempt succeeds.
    backend.entryMerge = () => Promise.resolve('// Mine.\n{ "title": "Notes" }');
    await user.click(screen.getByTestId("add-submit"));
    await waitFor(() => expect(backend.callsOf("entryReplace")).toHaveLength(1));
    expect(backend.callsOf("entryReplace")[0]?.[2]).toMatchObject({
      entry: '// Mine.\n{ "title": "Notes" }',
    });
  });

  it("has fields for the icon and for the authorization request", async () => {
    const { backend, user } = await openEdit(withoutSecrets());
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

  it("shows the fields once the entry was read, so that no text is replaced", async () => {
    const backend = new FakeBackend();
    const release = backend.hold("entryRead");
    const { user } = await open(backend);
    await user.click(screen.getByTestId("tab-details"));
    await user.click(screen.getByTestId("edit"));
    await screen.findByTestId("entry-dialog");
    expect(screen.queryByTestId("entry-title")).toBeNull();
    release();
    await screen.findByTestId("entry-title");
  });

  it("stays open while it is saved, and cannot be changed meanwhile", async () => {
    const backend = withoutSecrets();
    const { user } = await openEdit(backend);
    const release = backend.hold("entryReplace");
    await user.type(screen.getByTestId("entry-title"), "Notes");
    await user.click(screen.getByTestId("add-submit"));
    await waitFor(() => expect(screen.getByTestId("entry-title")).toBeDisabled());
    for (const name of ["Close", "Cancel"]) expect(screen.getByRole("button", { name })).toBeDisabled();
    await user.keyboard("{Escape}");
    expect(screen.getByTestId("entry-dialog")).toBeVisible();
    release();
    await waitFor(() => expect(screen.queryByTestId("entry-dialog")).toBeNull());
  });

  it("keeps the text of its fields when the state of the service changes", async () => {
    const { backend, user } = await openEdit();
    await user.type(screen.getByTestId("entry-title"), "Notes");
    const view = server({ status: failed("server_unreachable", "There is no connection.") });
    backend.emit({ event: "server_changed", revision: 11, view });
    expect(await screen.findByText("There is no connection.")).toBeInTheDocument();
    expect(screen.getByTestId("entry-title")).toHaveValue("Notes");
  });

  it("is checked again after a check that failed", async () => {
    const { backend, user } = await openEdit();
    backend.fail("entryCheckReplacement", error("internal", "The file cannot be read."));
    await user.type(screen.getByTestId("entry-title"), "Notes");
    expect(await screen.findByText("The file cannot be read.")).toBeInTheDocument();
    backend.restore("entryCheckReplacement");
    await user.click(screen.getByTestId("entry-check-again"));
    await waitFor(() => expect(screen.queryByText("The file cannot be read.")).toBeNull());
    expect(screen.getByTestId("entry-title")).toHaveValue("Notes");
  });
});
