import type { ErrorView } from "../backend/types";

/** An error as a person may paste it into a report. */
export function errorText(error: ErrorView): string {
  return [`${error.message} (${error.code})`, error.hint, error.details].filter(Boolean).join("\n\n");
}
