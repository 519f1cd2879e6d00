import { unifiedMergeView } from "@codemirror/merge";
import { EditorState } from "@codemirror/state";
import { EditorView } from "@codemirror/view";

import { jsonText, type Options } from "./json-text";
import { adoptStyles } from "./styles";

export type ComparisonOptions = Options & {
  before: string;
  after: string;
  /** Whether long unchanged parts are folded. */
  isFolded: boolean;
};

/** Shows the changes between two texts, line by line. The returned function removes it. */
export function showComparison({ before, after, isFolded, ...options }: ComparisonOptions): () => void {
  adoptStyles();
  const view = new EditorView({
    parent: options.parent,
    state: EditorState.create({
      doc: after,
      extensions: [
        jsonText(options),
        EditorState.readOnly.of(true),
        unifiedMergeView({
          original: before,
          mergeControls: false,
          ...(isFolded ? { collapseUnchanged: { margin: 2, minSize: 4 } } : {}),
          // A large file that changed everywhere is compared roughly.
          diffConfig: { scanLimit: 1000, timeout: 500 },
        }),
      ],
    }),
  });
  return () => view.destroy();
}
