import { commands, type ErrorView } from "./bindings";
import { BackendError } from "./error";

type Commands = typeof commands;
type Reply<Data> = { status: "ok"; data: Data } | { status: "error"; error: ErrorView };
type Value<Command> = Command extends (...args: never[]) => Promise<Reply<infer Data>> ? Data : never;

/** The commands of the app's Rust side. Each resolves to its value or rejects with a `BackendError`. */
export const shell = Object.fromEntries(
  Object.entries(commands).map(([name, command]) => [name, unwrapped(command)]),
) as { [Name in keyof Commands]: (...args: Parameters<Commands[Name]>) => Promise<Value<Commands[Name]>> };

function unwrapped(command: (...args: never[]) => Promise<Reply<unknown>>) {
  return async (...args: never[]): Promise<unknown> => {
    try {
      const reply = await command(...args);
      if (reply.status === "ok") return reply.data;
      throw reply.error;
    } catch (thrown) {
      throw new BackendError(asView(thrown));
    }
  };
}

/** Converts an error to a view. Tauri's own errors are plain strings, although their types say otherwise. */
function asView(error: unknown): ErrorView {
  if (typeof error === "object" && error !== null && "code" in error) return error as ErrorView;
  return { code: "internal", message: String(error), hint: null, details: null };
}
