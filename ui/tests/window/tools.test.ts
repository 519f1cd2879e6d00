import { screen, waitFor, within } from "@testing-library/svelte";
import { describe, expect, it } from "vitest";

import type { ToolCallView, ToolView } from "../../src/backend/bindings";
import { payloads } from "../lib/payloads";
import { FakeBackend } from "../support/fake-backend";
import { error, tool } from "../support/views";
import { open, type Opened } from "../support/window";

const noFields = tool({
  name: "whoami",
  title: "Who am I",
  input_schema: '{"type":"object","properties":{}}',
});

function openTools(tools: ToolView[]): Promise<Opened> {
  const backend = new FakeBackend();
  backend.tools = tools;
  return open(backend);
}

/** Opens the only tool and runs it. */
async function run(backend: FakeBackend): Promise<Opened> {
  backend.tools = [noFields];
  const opened = await open(backend);
  await opened.user.click(await screen.findByTestId("tool-whoami"));
  await opened.user.click(await screen.findByTestId("tool-run"));
  return opened;
}

/** Runs the only tool, and finds its result. */
async function runWith(result: Partial<ToolCallView>): Promise<Opened & { result: HTMLElement }> {
  const backend = new FakeBackend();
  backend.result = { ...backend.result, ...result };
  const opened = await run(backend);
  return { ...opened, result: await screen.findByTestId("tool-result") };
}

describe("the list of tools", () => {
  it("shows title, name and the hints of the service", async () => {
    await open();
    const rows = await screen.findAllByTestId("tool");
    expect(rows).toHaveLength(6);
    expect(rows[0]).toHaveTextContent(/Search pages\s*search_pages\s*Read-only/);
    expect(rows[3]).toHaveTextContent("Can change or delete data");
    expect(rows[4]).toHaveTextContent("slow_task");
    expect(rows[0]).toHaveTextContent(
      "Finds pages by their words, newest first. Use it before read_page: the",
    );
    expect(rows[0]?.querySelector(".line-clamp-3")).not.toBeNull();
  });

  it("is searched by all words, in names, titles and descriptions", async () => {
    const { user } = await open();
    await screen.findAllByTestId("tool");
    await user.type(screen.getByTestId("tool-search"), "page MARKDOWN");
    expect(screen.getAllByTestId("tool").map((row) => row.querySelector("h2")?.textContent?.trim())).toEqual([
      "Read a page",
      "Create a page",
    ]);
    expect(screen.getByTestId("tool-count")).toHaveTextContent("2 of 6");
    await user.type(screen.getByTestId("tool-search"), " nothing");
    expect(screen.getByText(/No tool matches/)).toBeInTheDocument();
  });

  it("is loaded again when the service reports a change", async () => {
    const { backend } = await openTools([tool()]);
    await screen.findAllByTestId("tool");
    backend.tools = [tool(), noFields];
    backend.emit({ event: "tools_changed", revision: 11, id: "notion" });
    await waitFor(() => expect(screen.getAllByTestId("tool")).toHaveLength(2));
    expect(backend.callsOf("serverTools")).toHaveLength(2);
  });

  it("shows why it could not be loaded, and can be loaded again", async () => {
    const backend = new FakeBackend();
    backend.fail("serverTools", error("server_unreachable", "It did not respond."));
    const { user } = await open(backend);
    expect(await screen.findByTestId("error")).toHaveTextContent("It did not respond.");
    await user.click(within(screen.getByTestId("error")).getByRole("button", { name: "Try again now" }));
    expect(backend.callsOf("serverTools")).toHaveLength(2);
  });

  it("has a text if there are no tools", async () => {
    await openTools([]);
    expect(await screen.findByText("Notion has no tools.")).toBeInTheDocument();
  });

  it("shows why a tool cannot be used, and does not offer to run it", async () => {
    const broken = "The service does not describe its arguments.";
    const { user } = await openTools([
      tool({ name: "a", title: null, broken }),
      tool({ name: "", title: "", broken }),
    ]);
    const [named, unnamed] = await screen.findAllByTestId("tool");
    expect(named).toHaveTextContent(
      /^a Read-only Cannot be used. The service does not describe its arguments.$/,
    );
    expect(unnamed?.querySelector("h2")).toHaveTextContent("No name");
    await user.click(screen.getByTestId("tool-a"));
    const dialog = await screen.findByTestId("tool-dialog");
    expect(dialog).toHaveTextContent("The service does not describe its arguments.");
    expect(within(dialog).queryByTestId("tool-run")).toBeNull();
  });

  it("runs no code that hides in any of the texts", async () => {
    const { user } = await openTools(
      payloads.map((text, index) => tool({ name: `${index} ${text}`, title: text, description: text })),
    );
    const rows = await screen.findAllByTestId("tool");
    expect(rows).toHaveLength(payloads.length);
    const dangerous =
      "script, iframe, object, embed, main img, style:not(head style), link:not(head link), base, form, a[href]";
    expect(document.body.querySelectorAll(dangerous)).toHaveLength(0);
    await user.click(within(rows[3] as HTMLElement).getByRole("button"));
    expect(await screen.findByTestId("tool-dialog")).toHaveTextContent(payloads[3] as string);
    expect(screen.getByTestId("tool-dialog").querySelectorAll("img, script, a[href]")).toHaveLength(0);
  });
});

describe("a tool's dialog", () => {
  it("closes with Esc, with its close button and with a click outside", async () => {
    const { user } = await openTools([noFields]);
    for (const close of [
      () => user.keyboard("{Escape}"),
      () => user.click(screen.getByRole("button", { name: "Close" })),
      () =>
        user.pointer({
          keys: "[MouseLeft]",
          target: document.querySelector(".overlay") as HTMLElement,
          coords: { clientX: 5, clientY: 5 },
        }),
    ]) {
      await user.click(await screen.findByTestId("tool-whoami"));
      await screen.findByTestId("tool-dialog");
      // The dialog handles outside clicks only from the next event loop turn, so the opening click does not close it.
      await new Promise((resolve) => setTimeout(resolve, 20));
      await close();
      await waitFor(() => expect(screen.queryByTestId("tool-dialog")).toBeNull());
    }
  });

  it("opens links through the backend, after a click", async () => {
    const { backend, user } = await openTools([
      tool({ name: "whoami", description: "See [the guide](https://example.com/guide)." }),
    ]);
    await user.click(await screen.findByTestId("tool-whoami"));
    await user.click(await screen.findByRole("button", { name: "the guide" }));
    expect(backend.callsOf("linkOpen")).toEqual([["https://example.com/guide"]]);
  });

  it.each([
    [
      "many fields",
      Object.fromEntries(Array.from({ length: 10_000 }, (_, index) => [`f${index}`, { type: "string" }])),
    ],
    ["many choices", { choice: { enum: Array.from({ length: 10_000 }, (_, index) => `c${index}`) } }],
    ["a long text", { text: { type: "string", description: "x".repeat(1_000_000) } }],
    [
      "deep nesting",
      Array.from({ length: 100 }).reduce<object>(
        (inner) => ({ inner: { type: "object", properties: inner } }),
        {},
      ),
    ],
  ])("asks for JSON if a form would be too large, with %s", async (_, properties) => {
    const { user } = await openTools([
      tool({ input_schema: JSON.stringify({ type: "object", properties }) }),
    ]);
    await user.click(await screen.findByTestId("tool-search_pages"));
    expect(await screen.findByTestId("json-arguments")).toBeInTheDocument();
    expect(screen.queryByText("Use the form")).toBeNull();
  });

  it("makes a form from the schema, and runs the tool with the form's values", async () => {
    const { backend, user } = await open();
    await user.click(await screen.findByTestId("tool-search_pages"));
    const query = await screen.findByLabelText(/Query/);
    await user.click(screen.getByTestId("tool-run"));
    expect(backend.callsOf("toolCall")).toEqual([]);
    await waitFor(() =>
      expect(query).toHaveAccessibleDescription(expect.stringContaining("This field is required.")),
    );
    expect(screen.queryByText(/required property/)).toBeNull();
    await user.type(query, "list");
    await user.selectOptions(screen.getByLabelText(/Sort by/), "title");
    await user.click(screen.getByLabelText(/Also archived/));
    await user.click(screen.getByTestId("tool-run"));
    await waitFor(() => expect(backend.callsOf("toolCall")).toHaveLength(1));
    const [id, name, json] = backend.callsOf("toolCall")[0] as string[];
    expect([id, name]).toEqual(["notion", "search_pages"]);
    expect(JSON.parse(json as string)).toEqual({ query: "list", limit: 5, sort: "title", archived: true });
  });

  it("accepts JSON instead, but only an object", async () => {
    const { backend, user } = await open();
    await user.click(await screen.findByTestId("tool-search_pages"));
    await user.click(await screen.findByRole("button", { name: "Edit as JSON" }));
    const field = screen.getByTestId("json-arguments");
    await user.clear(field);
    await user.type(field, "[[1]");
    await user.click(screen.getByTestId("tool-run"));
    expect(screen.getByText("This is not a JSON object.")).toBeInTheDocument();
    await user.clear(field);
    await user.type(field, '{{"query":"x"}');
    await user.click(screen.getByTestId("tool-run"));
    expect(backend.callsOf("toolCall")[0]?.[2]).toBe('{"query":"x"}');
  });

  it("falls back to JSON if the schema cannot be drawn", async () => {
    const { user } = await openTools([tool({ name: "whoami", input_schema: "not a schema" })]);
    await user.click(await screen.findByTestId("tool-whoami"));
    expect(await screen.findByTestId("json-arguments")).toBeInTheDocument();
  });
});

describe("a running call", () => {
  it("shows its progress, and can be cancelled", async () => {
    const { backend, user } = await run(new FakeBackend().hang("toolCall"));
    const call = backend.callsOf("toolCall")[0]?.[3] as string;
    backend.emit({ event: "call_progressed", revision: 11, call, progress: 3, total: 8, message: "3 of 8" });
    await waitFor(() => expect(screen.getByTestId("tool-progress")).toHaveTextContent("3 of 8"));
    expect(screen.getByRole("progressbar")).toHaveValue(3);
    expect(screen.getByTestId("tool-run")).toBeDisabled();
    await user.click(screen.getByTestId("tool-cancel"));
    expect(backend.callsOf("toolCancel")).toEqual([[call]]);
    expect(screen.getByTestId("tool-cancel")).toBeDisabled();
  });

  it("is cancelled when its dialog is closed", async () => {
    const { backend, user } = await run(new FakeBackend().hang("toolCall"));
    await user.keyboard("{Escape}");
    await waitFor(() => expect(backend.callsOf("toolCancel")).toHaveLength(1));
  });
});

describe("the outcome of a call", () => {
  it("shows texts, images and structured data", async () => {
    const { result } = await runWith({
      content: [
        { kind: "text", text: "<b>bold</b> & plain" },
        { kind: "image", mime_type: "image/png", data: "aGk=" },
        { kind: "image", mime_type: "image/svg+xml", data: "PHN2Zz4=" },
        { kind: "other", json: '{"type":"resource_link","uri":"file:///x"}' },
      ],
      structured: '{"a":1}',
    });
    expect(result).toHaveTextContent("<b>bold</b> & plain");
    expect(within(result).getAllByRole("img", { name: /returned by the tool/ })).toHaveLength(1);
    expect(within(result).getByRole("img", { name: /returned by the tool/ })).toHaveAttribute(
      "src",
      "data:image/png;base64,aGk=",
    );
    expect(result).toHaveTextContent("This type of image cannot be shown.");
    expect(result).toHaveTextContent('"uri": "file:///x"');
    expect(result).toHaveTextContent('"a": 1');
  });

  it("renders markdown, and opens its links through the backend", async () => {
    const text = "# Tea\n\n**Green** tea, see [the guide](https://example.com/tea).";
    const { backend, user, result } = await runWith({ content: [{ kind: "text", text }] });
    expect(await within(result).findByRole("heading", { name: "Tea" })).toBeInTheDocument();
    await user.click(await within(result).findByRole("button", { name: "the guide" }));
    expect(backend.callsOf("linkOpen")).toEqual([["https://example.com/tea"]]);
  });

  it("keeps plain text as it is", async () => {
    const text = "NAME     AGE\n  tea    3 d\n\n\n* not markdown\n";
    const { result } = await runWith({ content: [{ kind: "text", text }] });
    // Until the parser has answered, every text is plain.
    await waitFor(() => expect(result.querySelector("[aria-busy=true]")).toBeNull());
    expect(result.querySelector(".whitespace-pre-wrap")?.textContent).toBe(text);
    expect(result.querySelector(".prose-server")).toBeNull();
  });

  it("shows the first blocks and characters of a huge result, and copies all of it", async () => {
    const content = Array.from({ length: 5_000 }, (_, index) => ({
      kind: "text" as const,
      text: `Block ${index}.`,
    }));
    content[0] = { kind: "text", text: "x".repeat(1_000_000) };
    const { result } = await runWith({ content, structured: JSON.stringify(["y".repeat(1_000_000)]) });
    expect(result).toHaveTextContent("… and 950000 more characters");
    expect(result).toHaveTextContent("… and 4900 more");
    expect(result).toHaveTextContent("Block 99.");
    expect(result).not.toHaveTextContent("Block 100.");
    expect(result.textContent?.length).toBeLessThan(110_000);
  });

  it("runs no code that hides in a result", async () => {
    const content = payloads.map((text) => ({ kind: "text" as const, text: `**Result**\n\n${text}` }));
    const { result } = await runWith({ content });
    await waitFor(() => {
      expect(result.querySelectorAll(".prose-server strong").length).toBeGreaterThan(60);
      expect(result.querySelector("[aria-busy=true]")).toBeNull();
    });
    const dangerous =
      "script, iframe, object, embed, img, svg:not([data-shape], [viewBox]), style, link, base, form, input, a";
    expect(result.querySelectorAll(dangerous)).toHaveLength(0);
    expect(
      result.querySelectorAll(".prose-server :is([style], [class], [id], [onclick], [href])"),
    ).toHaveLength(0);
  });

  it("shows whether the tool itself reports an error", async () => {
    const { result } = await runWith({
      is_error: true,
      content: [{ kind: "text", text: "No such page." }],
    });
    expect(result).toHaveAttribute("data-error", "true");
    expect(result).toHaveTextContent(/The tool reported an error.*No such page\./s);
  });

  it("offers to grant the permission that a call lacks", async () => {
    const failure = error("insufficient_scope", "The scope pages:delete is needed.");
    const { backend, user } = await run(new FakeBackend().fail("toolCall", failure));
    await user.click(await screen.findByRole("button", { name: "Grant access" }));
    expect(backend.callsOf("serverSignIn")).toEqual([["notion"]]);
  });
});
