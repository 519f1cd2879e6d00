import { screen, waitFor, within } from "@testing-library/svelte";
import { describe, expect, it } from "vitest";

import { Refusal } from "../../src/backend/backend";
import type { ToolCallView, ToolView } from "../../src/backend/types";
import { payloads } from "../lib/payloads";
import { FakeBackend } from "../support/fake-backend";
import { error, tool } from "../support/views";
import { open, type Opened } from "../support/window";

function openTools(tools?: ToolView[], result?: Partial<ToolCallView>): Promise<Opened> {
  const backend = new FakeBackend();
  if (tools) backend.tools = tools;
  if (result) backend.result = { ...backend.result, ...result };
  return open(backend);
}

const noFields = tool({
  name: "whoami",
  title: "Who am I",
  input_schema: '{"type":"object","properties":{}}',
});

/** Opens the only tool and runs it. */
async function run(opened: Opened): Promise<void> {
  await opened.user.click(await screen.findByTestId("tool-whoami"));
  await opened.user.click(await screen.findByTestId("tool-run"));
}

describe("the list of tools", () => {
  it("shows title, name and what the service claims", async () => {
    await openTools();
    const rows = await screen.findAllByTestId("tool");
    expect(rows).toHaveLength(6);
    expect(rows[0]).toHaveTextContent(/Search pages\s*search_pages\s*Only reads/);
    expect(rows[3]).toHaveTextContent("Can delete or change");
    expect(rows[4]).toHaveTextContent("slow_task");
    await waitFor(() => expect(rows[0]?.querySelector("strong")).toHaveTextContent("newest first"));
    expect(rows[0]?.querySelector(".line-clamp-3")).not.toBeNull();
  });

  it("searches names, titles and descriptions, all words of them", async () => {
    const { user } = await openTools();
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

  it("is fetched anew when the service says that it changed", async () => {
    const { backend } = await openTools([tool()]);
    await screen.findAllByTestId("tool");
    backend.tools = [tool(), noFields];
    backend.tell({ event: "tools_changed", revision: 11, id: "notion" });
    await waitFor(() => expect(screen.getAllByTestId("tool")).toHaveLength(2));
    expect(backend.asked("serverTools")).toHaveLength(2);
  });

  it("says why it could not be fetched, and tries again", async () => {
    const backend = new FakeBackend();
    backend.answer("serverTools", new Refusal(error("server_unreachable", "It did not answer.")));
    const { user } = await open(backend);
    expect(await screen.findByTestId("error")).toHaveTextContent("It did not answer.");
    await user.click(within(screen.getByTestId("error")).getByRole("button", { name: "Try again now" }));
    expect(backend.asked("serverTools")).toHaveLength(2);
  });

  it("says so where there are none", async () => {
    await openTools([]);
    expect(await screen.findByText("Notion offers no tools.")).toBeInTheDocument();
  });

  it("runs nothing that hides in any of the texts", async () => {
    const { user } = await openTools(
      payloads.map((text, index) => tool({ name: `${index} ${text}`, title: text, description: text })),
      { content: payloads.map((text) => ({ kind: "text", text })) },
    );
    const rows = await screen.findAllByTestId("tool");
    expect(rows).toHaveLength(payloads.length);
    await waitFor(() => expect(rows[0]?.querySelector(".prose-server")).not.toHaveTextContent("<script>"));
    const dangerous =
      "script, iframe, object, embed, main img, style:not(head style), link:not(head link), base, form, a[href]";
    expect(document.body.querySelectorAll(dangerous)).toHaveLength(0);
    await user.click(within(rows[3] as HTMLElement).getByRole("button"));
    expect(await screen.findByTestId("tool-dialog")).toHaveTextContent(payloads[3] as string);
    expect(screen.getByTestId("tool-dialog").querySelectorAll("img, script, a[href]")).toHaveLength(0);
  });
});

describe("a tool's dialog", () => {
  it("closes with Esc, with its cross and with a click outside", async () => {
    const { user } = await openTools([noFields]);
    for (const close of [
      () => user.keyboard("{Escape}"),
      () => user.click(screen.getByRole("button", { name: "Close" })),
      () =>
        user.pointer({
          keys: "[MouseLeft]",
          target: document.querySelector(".veil") as HTMLElement,
          coords: { clientX: 5, clientY: 5 },
        }),
    ]) {
      await user.click(await screen.findByTestId("tool-whoami"));
      await screen.findByTestId("tool-dialog");
      // The dialog hears clicks outside from the next turn on, so that the one that opened it does not close it.
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
    expect(backend.asked("linkOpen")).toEqual([["https://example.com/guide"]]);
  });

  it("makes a form of the schema, and runs with what was entered", async () => {
    const { backend, user } = await openTools();
    await user.click(await screen.findByTestId("tool-search_pages"));
    const query = await screen.findByLabelText(/Query/);
    await user.click(screen.getByTestId("tool-run"));
    expect(backend.asked("toolCall")).toEqual([]);
    await waitFor(() =>
      expect(query).toHaveAccessibleDescription(expect.stringContaining("Please fill this in.")),
    );
    expect(screen.queryByText(/required property/)).toBeNull();
    await user.type(query, "list");
    await user.selectOptions(screen.getByLabelText(/Sort by/), "title");
    await user.click(screen.getByLabelText(/Also archived/));
    await user.click(screen.getByTestId("tool-run"));
    await waitFor(() => expect(backend.asked("toolCall")).toHaveLength(1));
    const [id, name, json] = backend.asked("toolCall")[0] as string[];
    expect([id, name]).toEqual(["notion", "search_pages"]);
    expect(JSON.parse(json as string)).toEqual({ query: "list", limit: 5, sort: "title", archived: true });
  });

  it("takes JSON where one prefers it, and nothing that is no object", async () => {
    const { backend, user } = await openTools();
    await user.click(await screen.findByTestId("tool-search_pages"));
    await user.click(await screen.findByRole("button", { name: "Write it as JSON" }));
    const field = screen.getByTestId("json-arguments");
    await user.clear(field);
    await user.type(field, "[[1]");
    await user.click(screen.getByTestId("tool-run"));
    expect(screen.getByText("This is not a JSON object.")).toBeInTheDocument();
    await user.clear(field);
    await user.type(field, '{{"query":"x"}');
    await user.click(screen.getByTestId("tool-run"));
    expect(backend.asked("toolCall")[0]?.[2]).toBe('{"query":"x"}');
  });

  it("falls back to JSON where the schema cannot be drawn", async () => {
    const { user } = await openTools([tool({ name: "whoami", input_schema: "not a schema" })]);
    await user.click(await screen.findByTestId("tool-whoami"));
    expect(await screen.findByTestId("json-arguments")).toBeInTheDocument();
  });
});

describe("a running call", () => {
  it("shows progress in a place of its own, and cancels", async () => {
    const backend = new FakeBackend().answer("toolCall", "never");
    backend.tools = [noFields];
    const { user } = await open(backend);
    await run({ backend, user });
    const call = backend.asked("toolCall")[0]?.[3] as string;
    backend.tell({ event: "call_progressed", revision: 11, call, progress: 3, total: 8, message: "3 of 8" });
    await waitFor(() => expect(screen.getByTestId("tool-progress")).toHaveTextContent("3 of 8"));
    expect(screen.getByRole("progressbar")).toHaveValue(3);
    expect(screen.getByTestId("tool-run")).toBeDisabled();
    await user.click(screen.getByTestId("tool-cancel"));
    expect(backend.asked("toolCancel")).toEqual([[call]]);
    expect(screen.getByTestId("tool-cancel")).toBeDisabled();
  });

  it("is cancelled when its dialog is closed", async () => {
    const backend = new FakeBackend().answer("toolCall", "never");
    backend.tools = [noFields];
    const { user } = await open(backend);
    await run({ backend, user });
    await user.keyboard("{Escape}");
    await waitFor(() => expect(backend.asked("toolCancel")).toHaveLength(1));
  });

  it("shows texts, images and data", async () => {
    const opened = await openTools([noFields], {
      content: [
        { kind: "text", text: "<b>bold</b> & plain" },
        { kind: "image", mime_type: "image/png", data: "aGk=" },
        { kind: "image", mime_type: "image/svg+xml", data: "PHN2Zz4=" },
        { kind: "other", json: '{"type":"resource_link","uri":"file:///x"}' },
      ],
      structured: '{"a":1}',
    });
    await run(opened);
    const result = await screen.findByTestId("tool-result");
    expect(result).toHaveTextContent("<b>bold</b> & plain");
    expect(within(result).getAllByRole("img", { name: /tool made/ })).toHaveLength(1);
    expect(within(result).getByRole("img", { name: /tool made/ })).toHaveAttribute(
      "src",
      "data:image/png;base64,aGk=",
    );
    expect(result).toHaveTextContent("An image of a kind that Usher does not show.");
    expect(result).toHaveTextContent('"uri": "file:///x"');
    expect(result).toHaveTextContent('"a": 1');
  });

  it("says when the tool itself reports an error", async () => {
    const opened = await openTools([noFields], {
      is_error: true,
      content: [{ kind: "text", text: "No such page." }],
    });
    await run(opened);
    const result = await screen.findByTestId("tool-result");
    expect(result).toHaveAttribute("data-error", "true");
    expect(result).toHaveTextContent(/The tool reports an error.*No such page\./s);
  });

  it("offers to grant what a refused call wants", async () => {
    const backend = new FakeBackend();
    backend.tools = [noFields];
    backend.answer("toolCall", new Refusal(error("insufficient_scope", "It wants pages:delete.")));
    const { user } = await open(backend);
    await run({ backend, user });
    await user.click(await screen.findByRole("button", { name: "Grant access" }));
    expect(backend.asked("serverSignIn")).toEqual([["notion"]]);
  });
});
