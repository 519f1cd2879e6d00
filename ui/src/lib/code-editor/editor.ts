import { defaultKeymap, history, historyKeymap, indentWithTab } from "@codemirror/commands";
import { bracketMatching, foldGutter, foldKeymap, indentOnInput } from "@codemirror/language";
import { lintGutter, nextDiagnostic, previousDiagnostic, setDiagnostics } from "@codemirror/lint";
import { highlightSelectionMatches, search, searchKeymap } from "@codemirror/search";
import { EditorState, type Text } from "@codemirror/state";
import { EditorView, highlightActiveLine, highlightActiveLineGutter, keymap } from "@codemirror/view";

import type { EntryProblemView } from "../../backend/bindings";
import { jsonText, type Options } from "./json-text";
import { adoptStyles } from "./styles";

export type EditorOptions = Options & {
  text: string;
  onchange: (text: string) => void;
  /** Called when the person presses Ctrl+S (Cmd+S on macOS). */
  onsave: () => void;
};

/** An editor of JSON with comments. Tab indents; after Escape, Tab leaves the editor. */
export class CodeEditor {
  readonly #view: EditorView;

  constructor({ text, onchange, onsave, ...options }: EditorOptions) {
    adoptStyles();
    const save = () => (onsave(), true);
    this.#view = new EditorView({
      parent: options.parent,
      state: EditorState.create({
        doc: text,
        extensions: [
          lintGutter(),
          jsonText(options),
          foldGutter(),
          history(),
          indentOnInput(),
          bracketMatching(),
          highlightActiveLine(),
          highlightActiveLineGutter(),
          highlightSelectionMatches(),
          search({ top: true }),
          keymap.of([
            { key: "Mod-s", run: save, preventDefault: true },
            { key: "F8", run: nextDiagnostic },
            { key: "Shift-F8", run: previousDiagnostic },
            ...searchKeymap,
            ...foldKeymap,
            ...historyKeymap,
            ...defaultKeymap,
            indentWithTab,
          ]),
          EditorView.updateListener.of((update) => {
            if (update.docChanged) onchange(update.state.doc.toString());
          }),
        ],
      }),
    });
  }

  /** Replaces the text. The part that stays the same keeps the cursor, and the person can undo the change. */
  setText(text: string): void {
    const before = this.#view.state.doc.toString();
    if (text === before) return;
    const limit = Math.min(before.length, text.length);
    let start = 0;
    while (start < limit && before[start] === text[start]) start += 1;
    let end = 0;
    while (end < limit - start && before.at(-1 - end) === text.at(-1 - end)) end += 1;
    const insert = text.slice(start, text.length - end);
    this.#view.dispatch({ changes: { from: start, to: before.length - end, insert } });
  }

  /** Shows the problems at their lines. */
  showProblems(problems: EntryProblemView[]): void {
    const { doc } = this.#view.state;
    const diagnostics = problems.map(({ is_error, message, hint, line, column }) => {
      const from = offsetOf(doc, line, column);
      return {
        from,
        to: endOfToken(doc, from),
        severity: is_error ? ("error" as const) : ("warning" as const),
        message: hint === null ? message : `${message}\n${hint}`,
      };
    });
    this.#view.dispatch(setDiagnostics(this.#view.state, diagnostics));
  }

  /** Moves the cursor to a place, and gives the editor the focus. */
  goTo(line: number, column: number): void {
    const anchor = offsetOf(this.#view.state.doc, line, column);
    this.#view.dispatch({
      selection: { anchor },
      effects: EditorView.scrollIntoView(anchor, { y: "center" }),
    });
    this.focus();
  }

  focus(): void {
    this.#view.focus();
  }

  destroy(): void {
    this.#view.destroy();
  }
}

/** The offset of a line and a column in characters, both counted from 1. The text may have become shorter meanwhile. */
export function offsetOf(doc: Text, line: number, column: number): number {
  const { from, text } = doc.line(Math.min(Math.max(line, 1), doc.lines));
  const characters = [...text].slice(0, Math.max(column - 1, 0));
  return from + characters.join("").length;
}

/** The end of the name, string or character at an offset. An empty range would not be visible. */
export function endOfToken(doc: Text, from: number): number {
  const { text, from: start } = doc.lineAt(from);
  const token = /^(?:"(?:[^"\\]|\\.)*"?|[\w$.+-]+|.)/u.exec(text.slice(from - start));
  return from + (token?.[0].length ?? 0);
}
