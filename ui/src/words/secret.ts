import type { SecretRequestView } from "../backend/bindings";
import { hostOf } from "../lib/host";
import { m } from "../paraglide/messages";

/** The question about a secret, which is written as in mcp.json: `{{name}}` or `${VAR}`. */
export function secretTitle({ secret, origin }: SecretRequestView): string {
  const host = hostOf(origin);
  const named = /^\{\{(.*)\}\}$/.exec(secret)?.[1];
  if (named !== undefined) return m.secret_send({ secret: named, host });
  return m.secret_send_variable({ variable: /^\$\{(.*)\}$/.exec(secret)?.[1] ?? secret, host });
}
