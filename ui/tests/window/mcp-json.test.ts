import { fireEvent, screen, waitFor, within } from "@testing-library/svelte";
import { describe, expect, it } from "vitest";

import { actions } from "../screens/actions";
import { FakeBackend } from "../support/fake-backend";
import { TEXT, textView } from "../support/mcp-json";
import { config, error } from "../support/views";
import { open, type Opened } from "../support/window";

async function openEditor(backend = new FakeBackend()): Promise<Opened> {
  const opened = await open(backend);
  await opened.user.click(screen.getByTestId("settings"));
  await opened.user.click(await screen.findByTestId("config-edit"));
  await screen.findByTestId("config-text");
  await waitFor(() => expect(status()).toHaveTextContent("No errors"));
  return opened;
}

const moved = (text: string) => text.replace("notion.com", "notion.example");
const edit = (change: (text: string) => string) => actions.edit("config-text", change);
const status = () => screen.getByTestId("config-status");
const text = () => screen.getByTestId("config-text").querySelector(".cm-content");

describe("the editor of mcp.json", () => {
  it("shows the file, and says that secrets are hidden", async () => {
    await openEditor();
    const editor = screen.getByRole("textbox", { name: "Text of mcp.json" });
    expect(editor).toHaveTextContent("// The team's services.");
    expect(screen.getByTestId("config-hidden")).toHaveTextContent("[hidden]");
    expect(screen.getByTestId("config-save")).toBeDisabled();
  });

  it("shows an error at its line while the person types, and in a list that leads there", async () => {
    const { user } = await openEditor();
    await edit((text) => text.replace('"npx"', "oops"));
    const problems = within(await screen.findByTestId("config-problems"));
    const problem = problems.getByRole("button");
    expect(problem).toHaveTextContent(/Error on line 7 Unexpected word\. Put text in double quotes/);
    expect(status()).toHaveTextContent("Errors: 1 · Fix the errors to save.");
    expect(screen.getByTestId("config-save")).toBeDisabled();
    await waitFor(() => {
      const marked = text()?.querySelector(".cm-lintRange-error");
      expect(marked).toHaveTextContent("oops");
      expect(marked?.closest(".cm-line")).toHaveTextContent('"command": oops,');
    });
    await user.click(problem);
    expect(text()).toHaveFocus();
    expect(text()?.querySelector(".cm-activeLine")).toHaveTextContent('"command": oops,');

    await edit((text) => text.replace("oops", '"npx"'));
    await waitFor(() => expect(screen.queryByTestId("config-problems")).toBeNull());
    expect(status()).toHaveTextContent("No errors");
  });

  it("saves what the person compared, with Ctrl+S", async () => {
    const { backend, user } = await openEditor();
    await edit(moved);
    expect(screen.getByTestId("config-saved")).toHaveTextContent("Not saved");
    await fireEvent.keyDown(text()!, { key: "s", code: "KeyS", ctrlKey: true, keyCode: 83 });
    const diff = await screen.findByTestId("config-diff");
    expect(diff.querySelector(".cm-deletedChunk")).toHaveTextContent("https://mcp.notion.com/mcp");
    expect(diff.querySelector(".cm-changedLine")).toHaveTextContent("https://mcp.notion.example/mcp");
    expect(diff).toHaveTextContent(/\d+ unchanged lines/);
    expect(backend.callsOf("configTextSave")).toEqual([]);
    await user.click(screen.getByTestId("config-diff-whole"));
    await waitFor(() => expect(screen.getByTestId("config-diff")).not.toHaveTextContent("unchanged lines"));

    await user.click(screen.getByTestId("config-save-confirm"));
    await waitFor(() => expect(screen.queryByTestId("config-comparison")).toBeNull());
    expect(backend.callsOf("configTextSave")).toEqual([[moved(TEXT), textView().version]]);
    expect(screen.getByTestId("config-saved")).toHaveTextContent("Saved");
  });

  it("saves with Ctrl+S from every place on the page", async () => {
    const { user } = await openEditor();
    await edit(moved);
    screen.getByTestId("mcp-json-back").focus();
    await user.keyboard("{Control>}s{/Control}");
    await screen.findByTestId("config-diff");
  });

  it("warns before entries with an error are saved, and shows why saving failed", async () => {
    const { backend, user } = await openEditor();
    await edit((text) =>
      text.replace('"type": "http", "url": "https://mcp.notion.com/mcp"', '"type": "http"'),
    );
    await screen.findByTestId("config-problems");
    await user.click(screen.getByTestId("config-save"));
    expect(await screen.findByTestId("config-comparison-errors")).toHaveTextContent("Errors: 1");
    backend.fail("configTextSave", error("config_invalid", "writing mcp.json failed: the disk is full."));
    await user.click(screen.getByTestId("config-save-confirm"));
    const dialog = within(screen.getByTestId("config-comparison"));
    expect(await dialog.findByTestId("error-message")).toHaveTextContent("the disk is full");
  });

  it("says that a text was not checked, and checks it again", async () => {
    const { backend, user } = await openEditor();
    backend.fail("configTextCheck", error("config_invalid", "reading mcp.json failed: permission denied."));
    await edit(moved);
    await waitFor(() => expect(status()).toHaveTextContent("Not checked"));
    backend.restore("configTextCheck");
    await user.click(screen.getByTestId("config-try-again"));
    await waitFor(() => expect(status()).toHaveTextContent("No errors"));
    expect(screen.getByTestId("config-save")).toBeEnabled();
    expect(screen.queryByTestId("error")).toBeNull();
  });

  it("keeps the dialog open while the text is saved", async () => {
    const { backend, user } = await openEditor();
    await edit(moved);
    await user.click(screen.getByTestId("config-save"));
    await screen.findByTestId("config-diff");
    const release = backend.hold("configTextSave");
    await user.click(screen.getByTestId("config-save-confirm"));
    await waitFor(() => expect(screen.getByTestId("config-save-cancel")).toBeDisabled());
    expect(screen.getByRole("button", { name: "Close" })).toBeDisabled();
    await user.keyboard("{Escape}");
    expect(screen.getByTestId("config-comparison")).toBeVisible();
    release();
    await waitFor(() => expect(screen.queryByTestId("config-comparison")).toBeNull());
    expect(screen.getByTestId("config-saved")).toHaveTextContent("Saved");
  });

  it("warns if the file changed meanwhile, and shows, loads or replaces it", async () => {
    const { backend, user } = await openEditor();
    await edit(moved);
    const outside = TEXT.replace("server-notes", "server-notes@2");
    backend.file = textView(outside);
    await fireEvent.focus(window);
    await screen.findByTestId("config-changed");

    await user.click(screen.getByTestId("config-show-changes"));
    expect(await screen.findByTestId("config-diff")).toHaveTextContent("@scope/server-notes@2");
    expect(screen.queryByTestId("config-save-confirm")).toBeNull();
    await user.keyboard("{Escape}");
    await waitFor(() => expect(screen.queryByTestId("config-comparison")).toBeNull());

    await user.click(screen.getByTestId("config-load"));
    expect(text()).toHaveTextContent("server-notes@2");
    await user.click(await screen.findByTestId("config-bring-back"));
    await waitFor(() => expect(text()).toHaveTextContent("notion.example"));

    await waitFor(() => expect(screen.getByTestId("config-save")).toBeEnabled());
    await user.click(screen.getByTestId("config-save"));
    expect((await screen.findByTestId("config-diff")).querySelector(".cm-changedLine")).not.toBeNull();
    await user.click(screen.getByTestId("config-save-confirm"));
    await waitFor(() => expect(backend.file.text).toBe(moved(TEXT)));
  });

  it("says that the file changed while its comparison is shown, and compares again", async () => {
    const { backend, user } = await openEditor();
    await edit(moved);
    await user.click(screen.getByTestId("config-save"));
    await screen.findByTestId("config-diff");
    const outside = TEXT.replace("server-notes", "server-notes@2");
    backend.file = textView(outside);
    await fireEvent.focus(window);
    await screen.findByTestId("config-comparison-outdated");
    expect(screen.queryByTestId("config-comparison-over-changed")).toBeNull();
    expect(screen.queryByTestId("config-save-confirm")).toBeNull();

    await user.click(screen.getByTestId("config-compare-again"));
    await screen.findByTestId("config-comparison-over-changed");
    expect(screen.queryByTestId("config-comparison-outdated")).toBeNull();
    await waitFor(() => expect(screen.getByTestId("config-diff")).toHaveTextContent("server-notes@2"));
    await user.click(screen.getByTestId("config-save-confirm"));
    await waitFor(() => expect(backend.file.text).toBe(moved(TEXT)));
  });

  it("asks before the unsaved text is lost, and keeps it otherwise", async () => {
    const { backend, user } = await openEditor();
    await edit(moved);
    await user.click(screen.getByTestId("server-notion"));
    const confirm = await screen.findByTestId("confirm");
    expect(confirm).toHaveTextContent("Your changes to mcp.json are not saved.");
    expect(within(confirm).getByTestId("remove-cancel")).toHaveFocus();
    await user.click(within(confirm).getByTestId("remove-cancel"));
    await waitFor(() => expect(screen.queryByTestId("confirm")).toBeNull());
    expect(text()).toHaveTextContent("notion.example");

    backend.requestClose("window");
    await user.click(await screen.findByTestId("remove-confirm"));
    await waitFor(() => expect(backend.callsOf("windowClose")).toEqual([["window"]]));
  });

  it("acknowledges each request to close once its question is shown", async () => {
    const { backend, user } = await openEditor();
    const acknowledged = () => backend.callsOf("windowAsksPerson").length;
    await edit(moved);
    await user.click(screen.getByTestId("settings"));
    await screen.findByTestId("confirm");
    expect(acknowledged()).toBe(0);
    for (const count of [1, 2]) {
      backend.requestClose("window");
      await waitFor(() => expect(acknowledged()).toBe(count));
      expect(screen.getByTestId("confirm")).toBeVisible();
    }
    await user.click(screen.getByTestId("remove-cancel"));
    await waitFor(() => expect(screen.queryByTestId("confirm")).toBeNull());
    expect([acknowledged(), backend.callsOf("windowClose")]).toEqual([2, []]);
    backend.requestClose("app");
    await screen.findByTestId("confirm");
    await waitFor(() => expect(acknowledged()).toBe(3));
  });

  it("opens from the bar of a broken file at the line of its error", async () => {
    const backend = new FakeBackend({
      config: { ...config, error: error("config_invalid", "Unexpected word."), line: 7, column: 18 },
    });
    backend.file = textView(TEXT.replace('"npx"', "oops"));
    const { user } = await open(backend);
    await user.click(screen.getByTestId("config-edit"));
    await screen.findByTestId("config-problems");
    await waitFor(() => {
      expect(text()?.querySelector(".cm-activeLine")).toHaveTextContent('"command": oops,');
    });
    expect(screen.queryByTestId("config-edit")).toBeNull();
  });

  it("says why the file cannot be read", async () => {
    const backend = new FakeBackend();
    backend.fail("configTextRead", error("config_invalid", "reading mcp.json failed: permission denied."));
    const { user } = await open(backend);
    await user.click(screen.getByTestId("settings"));
    await user.click(await screen.findByTestId("config-edit"));
    expect(await screen.findByTestId("error-message")).toHaveTextContent("permission denied");
    expect(screen.queryByTestId("config-text")).toBeNull();
  });

  it("reads the file again when the window gets the focus", async () => {
    const { backend } = await openEditor();
    backend.file = textView(TEXT.replace("server-notes", "server-notes@2"));
    await fireEvent.focus(window);
    await waitFor(() => expect(text()).toHaveTextContent("server-notes@2"));
    expect(screen.queryByTestId("config-changed")).toBeNull();
  });
});
