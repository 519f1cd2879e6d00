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
    const offsets = offsetsOf(doc, problems);
    const diagnostics = problems.map(({ is_error, message, hint }, index) => {
      const from = offsets[index] ?? 0;
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
    const [anchor = 0] = offsetsOf(this.#view.state.doc, [{ line, column }]);
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

/**
 * The offsets of places in a text, in the order of the places. Lines and columns (in characters) are counted from 1. The
 * text may have become shorter meanwhile. A line can be the whole file, so each line is read only once.
 */
export function offsetsOf(doc: Text, places: { line: number; column: number }[]): number[] {
  const lineOf = (number: number) => Math.min(Math.max(number, 1), doc.lines);
  const sorted = places
    .map(({ line, column }, index) => ({ line: lineOf(line), column, index }))
    .sort((one, other) => one.line - other.line || one.column - other.column);
  const offsets = places.map(() => 0);
  let current = doc.line(1);
  let length = 0;
  let read = 1;
  for (const { line, column, index } of sorted) {
    if (line !== current.number) {
      current = doc.line(line);
      length = 0;
      read = 1;
    }
    for (; read < column && length < current.length; read += 1)
      length += (current.text.codePointAt(length) ?? 0) > 0xffff ? 2 : 1;
    offsets[index] = current.from + length;
  }
  return offsets;
}

const TOKEN = /"(?:[^"\\]|\\.)*"?|[\w$.+-]+|./uy;

/** The end of the name, string or character at an offset. An empty range would not be visible. */
export function endOfToken(doc: Text, from: number): number {
  const { text, from: start } = doc.lineAt(from);
  TOKEN.lastIndex = from - start;
  return from + (TOKEN.exec(text)?.[0].length ?? 0);
}
