import { commands } from "./bindings";
import { BackendError } from "./error";
import type { ErrorView, PromptView, ResourceView, ServerId, ServerVerb, ToolView } from "./types";

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

/** Sends the engine a verb that needs only the server. */
export function serverVerb(server: ServerId, verb: ServerVerb): Promise<void> {
  return done(commands.engineRequest({ request: "server", server, verb }));
}

interface Lists {
  tools: ToolView[];
  resources: ResourceView[];
  prompts: PromptView[];
}

/** Requests one of a server's lists. */
export async function list<K extends keyof Lists>(server: ServerId, verb: K): Promise<Lists[K]> {
  const reply = await unwrap(commands.engineRequest({ request: "server", server, verb }));
  const items = reply === "done" ? undefined : (reply as Partial<Lists>)[verb];
  if (items === undefined) throw new BackendError(asView(`Unexpected reply to "${verb}".`));
  return items;
}

/** Tauri's own errors are plain strings, although their types say otherwise. */
function asView(error: unknown): ErrorView {
  if (typeof error === "object" && error !== null && "code" in error) return error as ErrorView;
  return { code: "internal", message: String(error), hint: null, details: null };
}
