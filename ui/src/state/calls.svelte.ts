import { SvelteMap } from "svelte/reactivity";

import type { Backend } from "../backend/backend";
import { errorView } from "../backend/error";
import type { ErrorView, ServerId, ToolCallView } from "../backend/bindings";
import type { EngineState, Progress } from "./engine.svelte";

type Outcome = { kind: "result"; result: ToolCallView } | { kind: "error"; error: ErrorView };

/** One call of a tool, from its start to its outcome. */
export class Call {
  readonly id = crypto.randomUUID();
  outcome = $state.raw<Outcome | null>(null);
  isCancelling = $state(false);

  get isRunning(): boolean {
    return this.outcome === null;
  }
}

/** The last call of each tool. */
export class Calls {
  readonly #calls = new SvelteMap<string, Call>();

  constructor(
    private readonly backend: Backend,
    private readonly engine: EngineState,
  ) {}

  last(server: ServerId, tool: string): Call | null {
    return this.#calls.get(key(server, tool)) ?? null;
  }

  progress(call: Call): Progress | null {
    return this.engine.progress.get(call.id) ?? null;
  }

  /** Calls a tool, unless a call of this tool is already running. */
  async run(server: ServerId, tool: string, argumentsJson: string): Promise<void> {
    if (this.last(server, tool)?.isRunning) return;
    const call = new Call();
    this.#calls.set(key(server, tool), call);
    try {
      const result = await this.backend.toolCall(server, tool, argumentsJson, call.id);
      call.outcome = { kind: "result", result };
    } catch (thrown) {
      call.outcome = { kind: "error", error: errorView(thrown) };
    } finally {
      this.engine.progress.delete(call.id);
    }
  }

  async cancel(call: Call): Promise<void> {
    call.isCancelling = true;
    await this.backend.toolCancel(call.id).catch(() => (call.isCancelling = false));
  }

  /** Removes a tool's call, and cancels it if it is still running. */
  discard(server: ServerId, tool: string): void {
    const call = this.last(server, tool);
    this.#calls.delete(key(server, tool));
    if (call?.isRunning) void this.cancel(call);
  }
}

function key(server: ServerId, tool: string): string {
  return JSON.stringify([server, tool]);
}
