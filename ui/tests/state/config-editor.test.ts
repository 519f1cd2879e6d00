import { describe, expect, it, vi } from "vitest";

import type { ConfigEditor } from "../../src/state/config-editor.svelte";
import type { FakeBackend } from "../support/fake-backend";
import { problem, TEXT, textView } from "../support/mcp-json";
import { started } from "../support/usher";
import { error } from "../support/views";

const EDITED = TEXT.replace("notion.com", "notion.example");
const OUTSIDE = TEXT.replace("// for now", "// for today");

async function opened() {
  const start = await started();
  await start.configEditor.open();
  await start.configEditor.check.settle();
  return { ...start, editor: start.configEditor };
}

/** Whether closing the window would lose a text, as the page reported it. */
function reports(backend: FakeBackend): unknown[] {
  return backend.callsOf("windowKeepsText").map(([isUnsaved]) => isUnsaved);
}

/** Types a text, lets another program write the file, and loads this file. */
async function replace(editor: ConfigEditor, backend: FakeBackend, mine: string, outside: string) {
  editor.text = mine;
  backend.file = textView(outside);
  await editor.look();
  editor.loadChanged();
  expect([editor.text, editor.replaced.at(-1)]).toEqual([outside, mine]);
}

describe("the text of mcp.json", () => {
  it("is checked once after a pause, and only the newest check counts", async () => {
    const { editor, backend } = await opened();
    vi.useFakeTimers();
    try {
      const first = TEXT.replace("Notion", "oops");
      editor.text = `${first} o`;
      await vi.advanceTimersByTimeAsync(100);
      editor.text = `${TEXT} oops`;
      await vi.advanceTimersByTimeAsync(1000);
      expect(backend.callsOf("configTextCheck")).toEqual([[TEXT], [`${TEXT} oops`]]);
    } finally {
      vi.useRealTimers();
    }
    expect(editor.check.result).toEqual({
      problems: [
        problem({ message: "Unexpected word.", hint: expect.any(String) as string, line: 13, column: 2 }),
      ],
      omitted: 0,
      can_be_saved: false,
    });
    expect(editor.canBeSaved).toBe(false);
  });

  it("is saved only over the file that the person compared it with", async () => {
    const { editor, backend } = await opened();
    await editor.compare();
    expect(editor.comparison).toBeNull();
    editor.text = EDITED;
    await editor.compare();
    expect(editor.comparison).toEqual({ before: TEXT, after: EDITED, version: textView().version });
    await editor.save();
    expect(backend.callsOf("configTextSave")).toEqual([[EDITED, textView().version]]);
    expect(backend.file.text).toBe(EDITED);
    expect([editor.isSaved, editor.isUnsaved, editor.comparison]).toEqual([true, false, null]);
    expect(reports(backend)).toEqual([true, false]);
  });

  it("is not compared while it is no JSON", async () => {
    const { editor } = await opened();
    editor.text = "oops";
    await editor.compare();
    expect(editor.comparison).toBeNull();
  });

  it("stays when it cannot be saved", async () => {
    const { editor, backend } = await opened();
    editor.text = EDITED;
    await editor.compare();
    const failure = error("config_invalid", "writing /c/mcp.json failed: the disk is full.");
    backend.fail("configTextSave", failure);
    await editor.save();
    expect(editor.saveError).toEqual(failure);
    expect([editor.text, editor.isUnsaved]).toEqual([EDITED, true]);
    expect(editor.comparison).not.toBeNull();
    editor.endComparison();
    await editor.compare();
    expect(editor.saveError).toBeNull();
  });
});

describe("a text that is being saved", () => {
  async function saving() {
    const opening = await opened();
    const { editor, backend } = opening;
    editor.text = EDITED;
    await editor.compare();
    return { ...opening, release: backend.hold("configTextSave") };
  }

  it("is not replaced by the saved text if the person typed on", async () => {
    const { editor, backend, release } = await saving();
    const saved = editor.save();
    editor.text = `${EDITED}// more`;
    release();
    await saved;
    expect([editor.text, editor.file]).toEqual([`${EDITED}// more`, textView(EDITED)]);
    expect([editor.isUnsaved, editor.isSaved, editor.comparison]).toEqual([true, false, null]);
    expect(reports(backend)).toEqual([true]);
    await editor.check.settle();
    expect(backend.callsOf("configTextCheck").at(-1)).toEqual([`${EDITED}// more`]);
  });

  it("keeps its comparison open, which shows why it was not saved", async () => {
    const { editor, backend } = await opened();
    editor.text = EDITED;
    await editor.compare();
    const failure = error("config_invalid", "writing /c/mcp.json failed: the disk is full.");
    const release = backend.fail("configTextSave", failure).hold("configTextSave");
    const saved = editor.save();
    editor.endComparison();
    await editor.compare();
    expect(editor.comparison?.after).toBe(EDITED);
    release();
    await saved;
    expect([editor.saveError, editor.comparison?.after]).toEqual([failure, EDITED]);
  });

  it("is shown as it was saved if the person discarded it meanwhile", async () => {
    const { editor, release } = await saving();
    const saved = editor.save();
    editor.discard();
    release();
    await saved;
    expect([editor.text, editor.isUnsaved, editor.comparison]).toEqual([EDITED, false, null]);
  });

  it("leaves nothing to ask about when it is saved", async () => {
    const { usher, navigation, closeQuestion, backend, release } = await saving();
    usher.editConfig();
    const saved = usher.saveConfigText();
    navigation.go({ kind: "settings" });
    expect(navigation.leaving).toEqual({ kind: "settings" });
    release();
    await saved;
    expect([navigation.leaving, navigation.page.kind]).toEqual([null, "settings"]);
    expect([closeQuestion.request, backend.callsOf("windowClose")]).toEqual([null, []]);
  });
});

describe("a file that changes meanwhile", () => {
  it("is shown if the person has changed nothing", async () => {
    const { editor, backend } = await opened();
    backend.file = textView(OUTSIDE);
    await editor.look();
    expect([editor.text, editor.changed, editor.isUnsaved]).toEqual([OUTSIDE, null, false]);
  });

  it("is reported, compared and overwritten only on demand", async () => {
    const { editor, backend } = await opened();
    editor.text = EDITED;
    backend.file = textView(OUTSIDE);
    await editor.look();
    expect([editor.text, editor.changed]).toEqual([EDITED, textView(OUTSIDE)]);
    editor.showChanges();
    expect(editor.comparison).toEqual({ before: TEXT, after: OUTSIDE, version: null });
    await editor.save();
    expect(backend.callsOf("configTextSave")).toEqual([]);

    await editor.compare();
    const { version } = textView(OUTSIDE);
    expect(editor.comparison).toEqual({ before: OUTSIDE, after: EDITED, version });
    await editor.save();
    expect([backend.file.text, editor.changed]).toEqual([EDITED, null]);
  });

  it("is reported when the text is saved", async () => {
    const { editor, backend } = await opened();
    editor.text = EDITED;
    await editor.compare();
    backend.file = textView(OUTSIDE);
    await editor.save();
    expect([backend.file.text, editor.text]).toEqual([OUTSIDE, EDITED]);
    expect([editor.changed, editor.isComparisonOutdated]).toEqual([textView(OUTSIDE), true]);
    await editor.compare();
    expect([editor.comparison?.before, editor.isComparisonOutdated]).toEqual([OUTSIDE, false]);
    await editor.save();
    expect(backend.file.text).toBe(EDITED);
  });

  it("is never replaced by a comparison with an earlier one", async () => {
    const { editor, backend } = await opened();
    editor.text = EDITED;
    backend.file = textView(OUTSIDE);
    await editor.look();
    await editor.compare();
    expect(editor.isComparisonOutdated).toBe(false);
    backend.file = textView();
    await editor.look();
    expect([editor.changed, editor.isComparisonOutdated]).toEqual([null, true]);
    await editor.save();
    expect(backend.callsOf("configTextSave")).toEqual([]);
    editor.showChanges();
    editor.endComparison();
    expect(editor.isComparisonOutdated).toBe(false);
  });

  it("can be loaded, and the person's text brought back", async () => {
    const { editor, backend } = await opened();
    editor.text = EDITED;
    backend.file = textView(OUTSIDE);
    await editor.look();
    editor.loadChanged();
    expect([editor.text, editor.changed, editor.replaced]).toEqual([OUTSIDE, null, [EDITED]]);
    editor.bringBack();
    expect([editor.text, editor.isUnsaved, editor.replaced]).toEqual([EDITED, true, []]);
    await editor.compare();
    expect(editor.comparison?.before).toBe(OUTSIDE);
  });

  it("leaves the person's text, which neither another change nor typing removes", async () => {
    const { editor, backend, closeQuestion } = await opened();
    await replace(editor, backend, EDITED, OUTSIDE);
    const again = OUTSIDE.replace("notes", "jottings");
    backend.file = textView(again);
    await editor.look();
    expect([editor.text, editor.replaced]).toEqual([again, [EDITED]]);
    editor.text = `${again}// more`;
    expect(editor.replaced).toEqual([EDITED]);
    editor.text = again;
    expect([editor.isUnsaved, reports(backend)]).toEqual([false, [true]]);
    backend.requestClose("window");
    expect(closeQuestion.request).toEqual({ closing: "window" });
  });

  it("leaves each of the person's texts, which can be brought back in turn", async () => {
    const { editor, backend } = await opened();
    const first = `${TEXT}// first`;
    const second = `${TEXT}// second`;
    await replace(editor, backend, first, OUTSIDE);
    await replace(editor, backend, second, TEXT);
    editor.text = `${TEXT}// third`;
    const shown = [0, 1, 2].map(() => (editor.bringBack(), editor.text));
    expect(shown).toEqual([second, first, `${TEXT}// third`]);
    expect(editor.replaced).toEqual([first, second]);
  });

  it("leaves the person's text until it is saved or discarded", async () => {
    const { editor, backend } = await opened();
    await replace(editor, backend, EDITED, OUTSIDE);
    editor.discardReplaced();
    expect([editor.replaced, reports(backend)]).toEqual([[], [true, false]]);

    await replace(editor, backend, EDITED, TEXT);
    editor.discard();
    expect([editor.replaced, reports(backend)]).toEqual([[], [true, false, true, false]]);

    await replace(editor, backend, EDITED, OUTSIDE);
    editor.text = TEXT;
    await editor.compare();
    await editor.save();
    expect([editor.replaced, reports(backend)]).toEqual([[], [true, false, true, false, true, false]]);
  });

  it("is not reported if it is as before again", async () => {
    const { editor, backend } = await opened();
    editor.text = EDITED;
    backend.file = textView(OUTSIDE);
    await editor.look();
    backend.file = textView();
    await editor.look();
    expect([editor.text, editor.changed]).toEqual([EDITED, null]);
  });
});

describe("an unsaved text", () => {
  it("keeps its page until the person decides", async () => {
    const { usher, editor, navigation } = await opened();
    usher.editConfig();
    editor.text = EDITED;
    navigation.go({ kind: "settings" });
    expect([navigation.page.kind, navigation.leaving]).toEqual(["mcp_json", { kind: "settings" }]);
    expect(navigation.hasForm).toBe(true);
    usher.keepConfigText();
    expect([navigation.page.kind, navigation.leaving, editor.text]).toEqual(["mcp_json", null, EDITED]);

    navigation.go({ kind: "gallery" });
    await usher.discardConfigText();
    expect([navigation.page.kind, navigation.leaving, editor.text]).toEqual(["gallery", null, TEXT]);
  });

  it("keeps the window open until the person decides", async () => {
    const { usher, closeQuestion, editor, backend } = await opened();
    editor.text = EDITED;
    backend.requestClose("window");
    expect([closeQuestion.request, backend.callsOf("windowClose")]).toEqual([{ closing: "window" }, []]);
    usher.keepConfigText();
    expect([closeQuestion.request, editor.text]).toEqual([null, EDITED]);
    expect(reports(backend)).toEqual([true]);

    backend.requestClose("app");
    await usher.discardConfigText();
    expect(backend.callsOf("windowClose")).toEqual([["app"]]);
  });

  it("is needed for the question: without one the window closes", async () => {
    const { closeQuestion, backend } = await opened();
    backend.requestClose("window");
    expect([closeQuestion.request, backend.callsOf("windowClose")]).toEqual([null, [["window"]]]);
  });
});

describe("a check", () => {
  const failure = error("config_invalid", "reading /c/mcp.json failed: permission denied.");

  async function failed() {
    const opening = await opened();
    const { editor, backend } = opening;
    backend.fail("configTextCheck", failure).fail("configTextRead", failure);
    editor.text = EDITED;
    await editor.check.settle();
    await editor.look();
    expect([editor.check.error, editor.readError, editor.canBeSaved]).toEqual([failure, failure, false]);
    backend.restore("configTextRead");
    return opening;
  }

  it("that failed is repeated when the file can be read again", async () => {
    const { editor, backend } = await failed();
    await editor.look();
    await editor.check.settle();
    expect([editor.check.error, editor.readError]).toEqual([failure, null]);
    backend.restore("configTextCheck");
    await editor.look();
    await editor.check.settle();
    expect([editor.check.error, editor.canBeSaved]).toEqual([null, true]);
  });

  it("that failed is repeated before the text is compared", async () => {
    const { editor, backend } = await failed();
    backend.restore("configTextCheck");
    await editor.compare();
    expect(editor.comparison?.after).toBe(EDITED);
  });

  it("is repeated when the file changed, because hidden values are those of the file", async () => {
    const { editor, backend } = await opened();
    editor.text = EDITED;
    await editor.check.settle();
    const checks = () => backend.callsOf("configTextCheck").length;
    const before = checks();
    backend.file = textView(OUTSIDE);
    await editor.look();
    expect([editor.changed, checks()]).toEqual([textView(OUTSIDE), before + 1]);
    await editor.look();
    expect(checks()).toBe(before + 1);
    backend.file = textView();
    await editor.look();
    expect([editor.changed, checks()]).toEqual([null, before + 2]);
  });
});

it("a late reply to an earlier read is ignored", async () => {
  const { editor, backend } = await opened();
  editor.text = EDITED;
  backend.file = textView(OUTSIDE);
  const failure = error("config_invalid", "reading /c/mcp.json failed: permission denied.");
  const release = backend.fail("configTextRead", failure).hold("configTextRead");
  const early = editor.look();
  backend.restore("configTextRead");
  await editor.look();
  release();
  await early;
  expect([editor.changed, editor.readError]).toEqual([textView(OUTSIDE), null]);
});

it("a file that cannot be read is an error", async () => {
  const { configEditor, backend } = await started();
  const failure = error("config_invalid", "reading /c/mcp.json failed: permission denied.");
  backend.fail("configTextRead", failure);
  await configEditor.open();
  expect([configEditor.readError, configEditor.file, configEditor.isUnsaved]).toEqual([failure, null, false]);
});
