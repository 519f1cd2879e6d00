import { screen, waitFor, within } from "@testing-library/svelte";
import { describe, expect, it } from "vitest";

import { payloads } from "../lib/payloads";
import { FakeBackend } from "../support/fake-backend";
import { error, server } from "../support/views";
import { open, type Opened } from "../support/window";

async function openTab(name: "resources" | "prompts", backend = new FakeBackend()): Promise<Opened> {
  const opened = await open(backend);
  await opened.user.click(await screen.findByTestId(`tab-${name}`));
  return opened;
}

function titles(kind: string): (string | undefined)[] {
  return screen.getAllByTestId(kind).map((row) => row.querySelector("h2")?.textContent?.trim());
}

describe("a service's tabs", () => {
  it("load nothing before they are opened", async () => {
    const { backend, user } = await open();
    await screen.findAllByTestId("tool");
    expect([backend.callsOf("serverResources"), backend.callsOf("serverPrompts")]).toEqual([[], []]);
    await user.click(screen.getByTestId("tab-prompts"));
    await screen.findAllByTestId("prompt");
    expect([backend.callsOf("serverResources"), backend.callsOf("serverPrompts")]).toEqual([
      [],
      [["notion"]],
    ]);
  });

  it("keep their lists while the service reconnects", async () => {
    const { backend, user } = await openTab("resources");
    await screen.findAllByTestId("resource");
    const why = error("server_unreachable", "The service is unreachable.");
    const status = { state: "reconnecting" as const, attempt: 1, next_at: new Date().toISOString(), why };
    backend.emit({ event: "server_changed", revision: 11, view: server({ status }) });
    await waitFor(() => expect(screen.getByTestId("service")).toHaveAttribute("data-state", "reconnecting"));
    expect(screen.getAllByTestId("resource")).toHaveLength(4);
    await user.click(screen.getByTestId("tab-prompts"));
    expect(await screen.findByText("Notion is not connected.")).toBeInTheDocument();
    expect(backend.callsOf("serverPrompts")).toEqual([]);
  });
});

describe("resources", () => {
  it("show title, address, type and three lines of text", async () => {
    await openTab("resources");
    const rows = await screen.findAllByTestId("resource");
    expect(screen.getByRole("tabpanel")).toHaveTextContent(
      "Resources are text and files that AI tools can read.",
    );
    expect(titles("resource")).toEqual(["Shopping list", "Holiday plans", "export.zip", "scratch"]);
    expect(rows[0]).toHaveTextContent(/Shopping list\s*notebook:\/\/pages\/shopping-list\s*text\/markdown/);
    expect(rows[0]).toHaveTextContent("Milk, bread, two lemons. Changed yesterday.");
    expect(rows[1]?.querySelector(".line-clamp-3")).not.toBeNull();
    expect(rows[3]).toHaveTextContent(/^scratch\s*notebook:\/\/scratch$/);
  });

  it("are found by each of their texts", async () => {
    const { user } = await openTab("resources");
    await screen.findAllByTestId("resource");
    await user.type(screen.getByTestId("resource-search"), "notebook MARKDOWN train");
    expect(titles("resource")).toEqual(["Holiday plans"]);
    expect(screen.getByTestId("resource-count")).toHaveTextContent("1 of 4");
  });

  it("open in a dialog, which returns the focus when Esc closes it", async () => {
    const { backend, user } = await openTab("resources");
    const row = await screen.findByTestId("resource-holiday-plans");
    row.focus();
    await user.keyboard("{Enter}");
    const dialog = await screen.findByTestId("resource-dialog");
    expect(dialog).toHaveTextContent("notebook://pages/holiday-plans");
    await user.click(await within(dialog).findByRole("button", { name: "timetable" }));
    expect(backend.callsOf("linkOpen")).toEqual([["https://trains.example/autumn"]]);
    await user.keyboard("{Escape}");
    await waitFor(() => expect(screen.queryByTestId("resource-dialog")).toBeNull());
    await waitFor(() => expect(document.activeElement).toBe(row));
  });

  it("are explained if there are none", async () => {
    const backend = new FakeBackend();
    backend.resources = [];
    await openTab("resources", backend);
    expect(await screen.findByTestId("resources-none")).toHaveTextContent(
      "Notion has no resources. Resources are text and files",
    );
    expect(screen.queryByTestId("resource-search")).toBeNull();
  });

  it("show why they could not be loaded, and can be loaded again", async () => {
    const backend = new FakeBackend();
    backend.fail("serverResources", error("protocol_error", "The reply is invalid."));
    const { user } = await openTab("resources", backend);
    expect(await screen.findByTestId("error")).toHaveTextContent("The reply is invalid.");
    await user.click(screen.getByRole("button", { name: "Try again now" }));
    expect(backend.callsOf("serverResources")).toHaveLength(2);
  });

  it("may have the same name twice", async () => {
    const backend = new FakeBackend();
    backend.resources = [backend.resources[3]!, backend.resources[3]!];
    await openTab("resources", backend);
    expect(await screen.findAllByTestId("resource")).toHaveLength(2);
  });
});

describe("prompts", () => {
  it("show their arguments in a dialog", async () => {
    const { user } = await openTab("prompts");
    await user.click(await screen.findByTestId("prompt-summarise_page"));
    const [page, tone] = within(await screen.findByTestId("prompt-arguments")).getAllByRole("listitem");
    await waitFor(() => expect(page?.querySelector(".prose-server code")).toHaveTextContent("search_pages"));
    expect(page).not.toHaveTextContent("Optional");
    expect(tone).toHaveTextContent("tone Optional");
  });

  it("show the first hundred arguments", async () => {
    const backend = new FakeBackend();
    const arguments_ = Array.from({ length: 3_000 }, (_, index) => ({
      name: `${index} ${"x".repeat(1_000)}`,
      description: null,
      required: true,
    }));
    backend.prompts = [{ name: "many", title: null, description: null, arguments: arguments_, broken: null }];
    const { user } = await openTab("prompts", backend);
    await user.click(await screen.findByTestId("prompt-many"));
    const rows = within(await screen.findByTestId("prompt-arguments")).getAllByRole("listitem");
    expect(rows).toHaveLength(101);
    expect(rows[99]?.textContent?.length).toBeLessThan(300);
    expect(rows[100]).toHaveTextContent("… and 2900 more");
  });

  it("are found by their arguments", async () => {
    const { user } = await openTab("prompts");
    await screen.findAllByTestId("prompt");
    await user.type(screen.getByTestId("prompt-search"), "tone");
    expect(titles("prompt")).toEqual(["Summarise a page"]);
  });

  it("have one text if there are none, and another if none matches", async () => {
    const backend = new FakeBackend();
    backend.prompts = [];
    const { user } = await openTab("prompts", backend);
    expect(await screen.findByTestId("prompts-none")).toHaveTextContent("Notion has no prompts.");
    backend.prompts = [{ name: "one", title: null, description: null, arguments: [], broken: null }];
    await user.click(screen.getByTestId("tab-tools"));
    await user.click(screen.getByTestId("tab-prompts"));
    await user.type(await screen.findByTestId("prompt-search"), "two");
    expect(await screen.findByText("No prompt matches “two”.")).toBeInTheDocument();
  });

  it("run no code that hides in any of the texts", async () => {
    const backend = new FakeBackend();
    backend.prompts = payloads.map((text) => ({
      name: text,
      title: text,
      description: text,
      arguments: [{ name: text, description: text, required: false }],
      broken: null,
    }));
    const { user } = await openTab("prompts", backend);
    const rows = await screen.findAllByTestId("prompt");
    expect(rows).toHaveLength(payloads.length);
    for (const row of [3, 7]) {
      await user.click(within(rows[row] as HTMLElement).getByRole("button"));
      const dialog = await screen.findByTestId("prompt-dialog");
      await waitFor(() => expect(dialog.querySelector("[aria-busy=true]")).toBeNull());
      expect(dialog.querySelectorAll("img, script, iframe, a[href], form")).toHaveLength(0);
      await user.keyboard("{Escape}");
      await waitFor(() => expect(screen.queryByTestId("prompt-dialog")).toBeNull());
    }
  });
});
