import { screen, waitFor, within } from "@testing-library/svelte";
import { describe, expect, it } from "vitest";

import { m } from "../../src/paraglide/messages";
import { permissionTitle } from "../../src/words/permission";
import { FakeBackend } from "../support/fake-backend";
import { connected, error, server, signingIn, tool } from "../support/views";
import { open, openWith } from "../support/window";

const permission = { scopes: ["pages:write"], tool_title: "Create a page" };
const asking = server({ status: connected, permission });

describe("a permission request", () => {
  it.each([
    [["write"], m.permission_to_write({ name: "Notion" })],
    [["pages:read", "search.read"], m.permission_to_read({ name: "Notion" })],
    [["pages:delete"], "Notion asks whether Usher may delete your data"],
    [["pages:read", "pages:write"], "Notion asks for more permissions"],
    [["toString"], "Notion asks for more permissions"],
    [[], "Notion asks for more permissions"],
  ])("%j is worded as “%s”", (scopes, words) => {
    expect(permissionTitle("Notion", { scopes, tool_title: null })).toBe(words);
  });

  it("is shown in the sidebar, too", async () => {
    await open(new FakeBackend({ servers: [server({ id: "linear", name: "Linear" }), asking] }));
    const entry = screen.getByTestId("server-notion");
    expect(entry).toHaveTextContent("Permission needed");
    expect(entry.querySelector('[data-shape="needs_you"]')).not.toBeNull();
  });

  it("names the waiting call and the scopes, and can be declined", async () => {
    const { backend, user } = await openWith({ status: connected, permission });
    const card = screen.getByTestId("permission");
    expect(card).toHaveTextContent(/“Create a page” is waiting for your approval.*pages:write/s);
    await user.click(within(card).getByRole("button", { name: "Not now" }));
    expect(backend.callsOf("serverDeclinePermission")).toEqual([["notion"]]);
    backend.emit({ event: "server_changed", revision: 11, view: server() });
    await waitFor(() => expect(screen.queryByTestId("permission")).toBeNull());
    expect(screen.getByTestId("account")).toHaveTextContent("Signed in as ada@lovelace.example");
  });

  it("has no “Not now” if the connection itself needs the permission", async () => {
    await openWith({
      status: { state: "needs_sign_in", reason: "insufficient_scope" },
      permission: { scopes: ["read"], tool_title: null },
    });
    expect(screen.getByTestId("permission")).toHaveTextContent(
      "Notion asks whether Usher may read your data",
    );
    expect(screen.queryByTestId("permission-decline")).toBeNull();
    expect(screen.getByTestId("sign-in")).toHaveTextContent("Grant access");
  });

  it("stays in the dialog of the waiting tool until the result arrives", async () => {
    const backend = new FakeBackend();
    backend.tools = [tool({ name: "create_page", input_schema: '{"type":"object"}' })];
    let finish: (result: typeof backend.result) => void = () => undefined;
    backend.toolCall = () => new Promise((resolve) => (finish = resolve));
    const { user } = await open(backend);
    await user.click(await screen.findByTestId("tool-create_page"));
    await user.click(await screen.findByTestId("tool-run"));
    const dialog = within(screen.getByTestId("tool-dialog"));
    expect(dialog.queryByTestId("permission")).toBeNull();

    backend.emit({ event: "server_changed", revision: 11, view: asking });
    expect(await dialog.findByTestId("tool-progress")).toHaveTextContent("Waiting for your approval");
    await user.click(await dialog.findByRole("button", { name: "Grant access" }));
    expect(backend.callsOf("serverSignIn")).toEqual([["notion"]]);

    backend.emit({ event: "server_changed", revision: 12, view: { ...asking, status: signingIn() } });
    await waitFor(() =>
      expect(dialog.getByTestId("permission")).toHaveTextContent("Approve the request in your browser."),
    );
    expect(dialog.queryByTestId("sign-in")).toBeNull();
    expect(dialog.getByTestId("tool-cancel")).toBeEnabled();

    backend.emit({ event: "server_changed", revision: 13, view: server() });
    finish(backend.result);
    expect(await dialog.findByTestId("tool-result")).toHaveTextContent("Done.");
    expect(dialog.queryByTestId("permission")).toBeNull();
  });

  it("is shown above the steps of its sign-in, and the tools keep their count", async () => {
    const { backend } = await openWith({ permission });
    await screen.findAllByTestId("tool");
    backend.emit({ event: "server_changed", revision: 11, view: { ...asking, status: signingIn() } });
    expect(await screen.findByTestId("waiting-permission")).toHaveTextContent(
      "Notion asks whether Usher may change your data “Create a page” is waiting for your approval. After you approve, it continues automatically.",
    );
    expect(screen.getByTestId("tab-tools")).toHaveTextContent("Tools 6");
  });

  it("is not repeated as an error", async () => {
    await openWith({
      permission,
      last_error: error("insufficient_scope", "The scope pages:write is needed."),
    });
    expect(screen.queryByTestId("error")).toBeNull();
  });
});
