import { BackendError } from "./error";
import type { ErrorView } from "./types";

type Reply<T> = { status: "ok"; data: T } | { status: "error"; error: ErrorView };

/** The value of a command's reply; throws a `BackendError` for an error. */
export async function unwrap<T>(reply: Promise<Reply<T>>): Promise<T> {
  const settled = await reply.catch((thrown: unknown): Reply<T> => ({
    status: "error",
    error: asView(thrown),
  }));
  if (settled.status === "ok") return settled.data;
  throw new BackendError(asView(settled.error));
}

/** `unwrap` for a command without a value. */
export async function done(reply: Promise<Reply<unknown>>): Promise<void> {
  await unwrap(reply);
}

/** Tauri's own errors are plain strings, whatever the types say. */
function asView(error: unknown): ErrorView {
  if (typeof error === "object" && error !== null && "code" in error) return error as ErrorView;
  return { code: "internal", message: String(error), hint: null, details: null };
}
