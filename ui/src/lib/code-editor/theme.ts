import { HighlightStyle, syntaxHighlighting } from "@codemirror/language";
import type { Extension } from "@codemirror/state";
import { EditorView } from "@codemirror/view";
import { tags } from "@lezer/highlight";

const MUTED = "color-mix(in oklab, var(--color-base-content) 72%, var(--color-base-100))";
const FAINT = "color-mix(in oklab, var(--color-base-content) 5%, transparent)";
const LINE = "1px solid var(--color-base-300)";

const ON_COLOR = [".cm-changedText", ".cm-deletedText", ".cm-searchMatch", ".cm-selectionMatch"]
  .flatMap((name) => [name, `${name} *`])
  .join(", ");

function tint(color: string, percent: number): string {
  return `color-mix(in oklab, var(--color-${color}) ${percent}%, transparent)`;
}

/** The colours of the app, which follow its light or dark theme. */
const theme = EditorView.theme({
  "&": { color: "var(--color-base-content)", backgroundColor: "var(--color-base-100)", fontSize: "0.87rem" },
  // The element around the editor shows the focus, because the gutter would cover a part of the outline.
  "&.cm-focused": { outline: "none" },
  ".cm-scroller": { fontFamily: "var(--font-mono)", lineHeight: "1.5" },
  ".cm-content": { caretColor: "var(--color-base-content)" },
  ".cm-gutters": { backgroundColor: "var(--color-base-200)", color: MUTED, borderRight: LINE },
  ".cm-activeLine, .cm-activeLineGutter": { backgroundColor: FAINT },
  ".cm-matchingBracket, &.cm-focused .cm-matchingBracket": { backgroundColor: tint("primary", 22) },
  ".cm-nonmatchingBracket, &.cm-focused .cm-nonmatchingBracket": { backgroundColor: tint("error", 22) },
  ".cm-selectionMatch": { backgroundColor: tint("primary", 12) },
  ".cm-searchMatch": { backgroundColor: tint("accent", 45) },
  ".cm-searchMatch-selected": { outline: "1px solid var(--color-primary)" },
  ".cm-foldPlaceholder": { backgroundColor: FAINT, color: MUTED, border: LINE, padding: "0 0.4em" },
  ".cm-panels": { backgroundColor: "var(--color-base-200)", color: "var(--color-base-content)" },
  ".cm-panels.cm-panels-top": { borderBottom: LINE },
  ".cm-panels button, .cm-panels input": { fontSize: "0.87rem" },
  ".cm-button": {
    backgroundImage: "none",
    backgroundColor: "var(--color-base-100)",
    border: LINE,
    color: "inherit",
  },
  ".cm-button:active": { backgroundImage: "none" },
  ".cm-textfield": { backgroundColor: "var(--color-base-100)", border: LINE, color: "inherit" },
  ".cm-panel.cm-search [name=close]": { color: "inherit", fontSize: "1.2rem" },
  ".cm-tooltip": { backgroundColor: "var(--color-base-100)", color: "inherit", border: LINE },
  ".cm-diagnostic": { whiteSpace: "pre-wrap", fontFamily: "var(--font-sans)" },
  ".cm-diagnostic-error": { borderLeftColor: "var(--color-error)" },
  ".cm-diagnostic-warning": { borderLeftColor: "var(--color-warning)" },
  ".cm-lintRange-error": { backgroundImage: "none", borderBottom: "2px solid var(--color-error)" },
  ".cm-lintRange-warning": { backgroundImage: "none", borderBottom: "2px dotted var(--color-warning)" },
  // The shapes differ as well as the colours.
  ".cm-lint-marker": { width: "0.8em", height: "0.8em", margin: "0.2em 0.1em" },
  ".cm-lint-marker-error": { content: "none", backgroundColor: "var(--color-error)", borderRadius: "50%" },
  ".cm-lint-marker-warning": {
    content: "none",
    backgroundColor: "var(--color-warning)",
    clipPath: "polygon(50% 0, 100% 100%, 0 100%)",
  },
  ".cm-insertedLine, .cm-changedLine": { backgroundColor: tint("success", 10) },
  ".cm-deletedChunk": { backgroundColor: tint("error", 8), paddingLeft: "6px" },
  ".cm-changedText, &.cm-merge-b .cm-changedText": { background: tint("success", 26) },
  ".cm-deletedChunk .cm-deletedText": { background: tint("error", 22) },
  ".cm-deletedChunk .cm-deletedLine, .cm-deletedLine del, .cm-deletedText": { textDecoration: "none" },
  // The colours of the syntax have too little contrast on a coloured background.
  [ON_COLOR]: { color: "var(--color-base-content)" },
  ".cm-changedLineGutter": { backgroundColor: "var(--color-success)" },
  ".cm-deletedLineGutter": { backgroundColor: "var(--color-error)" },
  ".cm-collapsedLines": {
    background: "var(--color-base-200)",
    color: MUTED,
    fontFamily: "var(--font-sans)",
    padding: "0.3em 0.8em",
  },
  // Few fonts have its character.
  ".cm-collapsedLines:before, .cm-collapsedLines:after": { content: "none" },
});

const highlighting = HighlightStyle.define([
  { tag: tags.propertyName, color: "var(--color-primary)" },
  { tag: tags.string, color: "var(--color-success)" },
  { tag: [tags.number, tags.bool, tags.null], color: "var(--color-warning)" },
  { tag: tags.comment, color: MUTED, fontStyle: "italic" },
]);

export const appTheme: Extension = [theme, syntaxHighlighting(highlighting)];
