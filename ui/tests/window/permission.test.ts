import { screen, waitFor, within } from "@testing-library/svelte";
import { describe, expect, it } from "vitest";

import { m } from "../../src/paraglide/messages";
import { permissionTitle } from "../../src/features/permission/permission-words";
import { FakeBackend } from "../support/fake-backend";
import { connected, error, server, signingIn, tool } from "../support/views";
import { open, openWith } from "../support/window";

const permission = { scopes: ["pages:write"], for_what: "Create a page" };
const asking = server({ status: connected, permission });

describe("a wish for permission", () => {
  it.each([
    [["write"], m.permission_to_write({ name: "Notion" })],
    [["pages:read", "search.read"], m.permission_to_read({ name: "Notion" })],
    [["pages:delete"], "Notion wants permission to delete"],
    [["pages:read", "pages:write"], "Notion wants more permission"],
    [["toString"], "Notion wants more permission"],
    [[], "Notion wants more permission"],
  ])("%j is said as “%s”", (scopes, words) => {
    expect(permissionTitle("Notion", { scopes, for_what: null })).toBe(words);
  });

  it("shows in the sidebar, too", async () => {
    await open(new FakeBackend({ servers: [server({ id: "linear", name: "Linear" }), asking] }));
    const entry = screen.getByTestId("server-notion");
    expect(entry).toHaveTextContent("Permission needed");
    expect(entry.querySelector('[data-shape="needs_you"]')).not.toBeNull();
  });

  it("names what waits and what is asked for, and takes a no", async () => {
    const { backend, user } = await openWith({ status: connected, permission });
    const card = screen.getByTestId("permission");
    expect(card).toHaveTextContent(/“Create a page” waits for your answer.*pages:write/s);
    await user.click(within(card).getByRole("button", { name: "Not now" }));
    expect(backend.asked("serverDeclinePermission")).toEqual([["notion"]]);
    backend.tell({ event: "server_changed", revision: 11, view: server() });
    await waitFor(() => expect(screen.queryByTestId("permission")).toBeNull());
    expect(screen.getByTestId("account")).toHaveTextContent("Signed in as ada@lovelace.example");
  });

  it("has no “Not now” where the connection itself needs it", async () => {
    await openWith({
      status: { state: "needs_sign_in", reason: "more_permission_needed" },
      permission: { scopes: ["read"], for_what: null },
    });
    expect(screen.getByTestId("permission")).toHaveTextContent("Notion wants permission to read");
    expect(screen.queryByTestId("permission-decline")).toBeNull();
    expect(screen.getByTestId("sign-in")).toHaveTextContent("Grant access");
  });

  it("stands in the dialog of the tool that waits, through the consent, until its result is there", async () => {
    const backend = new FakeBackend();
    backend.tools = [tool({ name: "create_page", input_schema: '{"type":"object"}' })];
    let finish: (result: typeof backend.result) => void = () => undefined;
    backend.toolCall = () => new Promise((resolve) => (finish = resolve));
    const { user } = await open(backend);
    await user.click(await screen.findByTestId("tool-create_page"));
    await user.click(await screen.findByTestId("tool-run"));
    const dialog = within(screen.getByTestId("tool-dialog"));
    expect(dialog.queryByTestId("permission")).toBeNull();

    backend.tell({ event: "server_changed", revision: 11, view: asking });
    expect(await dialog.findByTestId("tool-progress")).toHaveTextContent("Waiting for your permission");
    await user.click(await dialog.findByRole("button", { name: "Grant access" }));
    expect(backend.asked("serverSignIn")).toEqual([["notion"]]);

    backend.tell({ event: "server_changed", revision: 12, view: { ...asking, status: signingIn() } });
    await waitFor(() =>
      expect(dialog.getByTestId("permission")).toHaveTextContent("Say yes on the page in your browser."),
    );
    expect(dialog.queryByTestId("sign-in")).toBeNull();
    expect(dialog.getByTestId("tool-cancel")).toBeEnabled();

    backend.tell({ event: "server_changed", revision: 13, view: server() });
    finish(backend.result);
    expect(await dialog.findByTestId("tool-result")).toHaveTextContent("Done.");
    expect(dialog.queryByTestId("permission")).toBeNull();
  });

  it("is told above the steps of the sign-in that asks for it, and the tools keep their number", async () => {
    const { backend } = await openWith({ permission });
    await screen.findAllByTestId("tool");
    backend.tell({ event: "server_changed", revision: 11, view: { ...asking, status: signingIn() } });
    expect(await screen.findByTestId("waiting-permission")).toHaveTextContent(
      "Notion wants permission to write “Create a page” waits for your answer, then goes on by itself.",
    );
    expect(screen.getByTestId("tab-tools")).toHaveTextContent("Tools 6");
  });

  it("does not say the same again as an error", async () => {
    await openWith({ permission, last_error: error("insufficient_scope", "It wants pages:write.") });
    expect(screen.queryByTestId("error")).toBeNull();
  });
});
