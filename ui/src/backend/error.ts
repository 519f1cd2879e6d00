import type { ErrorView } from "./bindings";

/** The error of a failed backend call, with the texts to show. */
export class BackendError extends Error {
  override readonly name = "BackendError";

  constructor(readonly view: ErrorView) {
    super(view.message);
  }
}

/** Converts any thrown value to a view. */
export function errorView(thrown: unknown): ErrorView {
  if (thrown instanceof BackendError) return thrown.view;
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return {
    code: "internal",
    message,
    hint: null,
    details: thrown instanceof Error ? (thrown.stack ?? null) : null,
  };
}
