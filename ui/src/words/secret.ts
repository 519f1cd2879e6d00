import type { SecretRequestView, SecretUseView, SecretView } from "../backend/bindings";
import { hostOf } from "../lib/host";
import { relativeTime } from "../lib/time";
import { m } from "../paraglide/messages";
import type { SecretChange } from "../state/secrets.svelte";

const HOUR = 60 * 60 * 1000;

/** The question about a secret, which is written as in mcp.json: `{{name}}` or `${VAR}`. */
export function secretTitle({ secret, origin }: SecretRequestView): string {
  const host = hostOf(origin);
  const named = /^\{\{(.*)\}\}$/.exec(secret)?.[1];
  if (named !== undefined) return m.secret_send({ secret: named, host });
  return m.secret_send_variable({ variable: /^\$\{(.*)\}$/.exec(secret)?.[1] ?? secret, host });
}

/** The setting in which an entry has a secret. */
export function settingWords({ setting }: SecretUseView): string {
  const [first = "", second = "", third = ""] = setting;
  switch (first) {
    case "headers":
      return m.secret_in_header({ name: second });
    case "env":
      return m.secret_in_variable({ name: second });
    case "args":
      return m.secret_in_arguments();
    case "command":
      return m.secret_in_command();
    case "cwd":
      return m.secret_in_folder();
  }
  const words: Record<string, () => string> = {
    clientSecret: m.secret_in_client_secret,
    privateKey: m.secret_in_private_key,
    assertion: m.secret_in_assertion,
    "identityProvider.clientSecret": m.secret_in_provider_secret,
    "identityProvider.idToken": m.secret_in_id_token,
  };
  return words[third ? `${second}.${third}` : second]?.() ?? setting.join(".");
}

/** When a stored secret was last used. The time is accurate to an hour. */
export function lastUse({ in_use, last_used }: SecretView, now: number): string {
  if (in_use) return m.secret_in_use();
  if (last_used === null) return m.secret_never_used();
  return now - Date.parse(last_used) < HOUR ? m.secret_used_this_hour() : relativeTime(last_used, now);
}

export function changeWords({ kind, name }: SecretChange): string {
  const words = {
    stored: m.secret_change_stored,
    removed: m.secret_change_removed,
    allowed: m.secret_change_allowed,
    withdrawn: m.secret_change_withdrawn,
  };
  return words[kind]({ name });
}

/** The consequence of removing a secret. `isUnknown` says that further entries may use it. */
export function removalWords({ uses }: SecretView, isUnknown: boolean): string {
  const running = [...new Set(uses.filter(({ is_disabled }) => !is_disabled).map((use) => use.server_name))];
  const off = uses.filter((use) => use.is_disabled && !running.includes(use.server_name));
  const names = [...running, ...new Set(off.map((use) => m.secret_use_off({ name: use.server_name })))];
  const unknown = isUnknown ? m.secret_remove_unknown() : "";
  if (names.length === 0) return isUnknown ? unknown : m.secret_remove_unused();
  return `${m.secret_remove_used({ names: names.join(", ") })} ${unknown}`.trim();
}
