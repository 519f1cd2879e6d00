import type { Phrases } from "../lib/code-editor/json-text";
import { m } from "../paraglide/messages";

/** The phrases of the code editor. */
export function codePhrases(): Phrases {
  return {
    Find: m.code_find(),
    Replace: m.code_replace(),
    next: m.code_next(),
    previous: m.code_previous(),
    all: m.code_all(),
    "match case": m.code_match_case(),
    regexp: m.code_regexp(),
    "by word": m.code_by_word(),
    replace: m.code_replace_one(),
    "replace all": m.code_replace_all(),
    "replaced $ matches": m.code_replaced(),
    "replaced match on line $": m.code_replaced_on_line(),
    "current match": m.code_current_match(),
    "on line": m.code_on_line(),
    "Go to line": m.code_go_to_line(),
    go: m.code_go(),
    close: m.close(),
    "Fold line": m.code_fold(),
    "Unfold line": m.code_unfold(),
    "folded code": m.code_folded(),
    unfold: m.code_unfold(),
    "$ unchanged lines": m.code_unchanged(),
    "Control character": m.code_control_character(),
    "Selection deleted": m.code_selection_deleted(),
  };
}
