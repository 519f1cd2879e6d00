import { indentUnit } from "@codemirror/language";
import { EditorState, type Extension } from "@codemirror/state";
import { EditorView, lineNumbers } from "@codemirror/view";
import { jsonc } from "@shopify/lang-jsonc";

import { appTheme } from "./theme";

/** The phrases of CodeMirror, in its words, with those of the app. */
export type Phrases = Record<string, string>;

export type Options = { parent: HTMLElement; label: string; phrases: Phrases };

/** The extensions that the editor and the comparison share: JSON with comments, in the app's colours and words. */
export function jsonText({ label, phrases }: Options): Extension {
  return [
    lineNumbers(),
    EditorView.lineWrapping,
    jsonc(),
    indentUnit.of("  "),
    EditorState.tabSize.of(2),
    EditorState.phrases.of(phrases),
    EditorView.contentAttributes.of({ "aria-label": label, spellcheck: "false", autocapitalize: "off" }),
    appTheme,
  ];
}
