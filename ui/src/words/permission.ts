import type { PermissionView } from "../backend/bindings";
import { m } from "../paraglide/messages";

const VERBS: Record<string, (inputs: { name: string }) => string> = {
  read: m.permission_to_read,
  write: m.permission_to_write,
  delete: m.permission_to_delete,
};

/** Returns "Notion asks whether Usher may change your data" if all scopes end in that verb ("write", "pages:write"). */
export function permissionTitle(name: string, { scopes }: PermissionView): string {
  const verbs = new Set(
    scopes.map(
      (scope) =>
        scope
          .toLowerCase()
          .split(/[.:/_-]/)
          .at(-1) ?? "",
    ),
  );
  const [verb] = verbs;
  const words = verbs.size === 1 && verb && Object.hasOwn(VERBS, verb) ? VERBS[verb] : undefined;
  return (words ?? m.permission_more)({ name });
}
