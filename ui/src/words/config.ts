import type { ConfigChangesView } from "../backend/bindings";
import { m } from "../paraglide/messages";

/** The number of names that are shown for each kind of change. */
const MAX_NAMES = 3;

/** Describes a reload of `mcp.json` in one sentence. */
export function reloadText({ added, changed, removed, failed }: ConfigChangesView): string {
  const parts = [
    { names: added, text: m.config_added },
    { names: changed, text: m.config_changed },
    { names: removed, text: m.config_removed },
    { names: failed, text: m.config_failed },
  ];
  const texts = parts
    .filter(({ names }) => names.length > 0)
    .map(({ names, text }) => text({ names: shortened(names) }));
  return m.config_reloaded({ changes: texts.join("; ") });
}

function shortened(names: string[]): string {
  const shown = names.slice(0, MAX_NAMES).join(", ");
  const more = names.length - MAX_NAMES;
  return more > 0 ? `${shown}, ${m.more_items({ count: more })}` : shown;
}
