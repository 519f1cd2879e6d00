import type { ErrorView } from "../backend/bindings";

/** An error as text, for a bug report. */
export function errorText(error: ErrorView): string {
  return [`${error.message} (${error.code})`, error.hint, error.details].filter(Boolean).join("\n\n");
}
