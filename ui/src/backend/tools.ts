import { commands } from "./bindings";
import { done, list, unwrap } from "./ipc";
import type { ElicitationAnswer, PromptView, ResourceView, ServerId, ToolCallView, ToolView } from "./types";

/** A server's tools, resources and prompts, tool calls and elicitations. */
export interface ToolsBackend {
  serverTools(id: ServerId): Promise<ToolView[]>;
  serverResources(id: ServerId): Promise<ResourceView[]>;
  serverPrompts(id: ServerId): Promise<PromptView[]>;
  /** Calls a tool. `call` is the page's own id: progress carries it, and `toolCancel` takes it. */
  toolCall(id: ServerId, name: string, argumentsJson: string, call: string): Promise<ToolCallView>;
  toolCancel(call: string): Promise<void>;
  elicitationAnswer(id: string, answer: ElicitationAnswer, contentJson: string | null): Promise<void>;
}

export const tools: ToolsBackend = {
  serverTools: (id) => list(id, "tools"),
  serverResources: (id) => list(id, "resources"),
  serverPrompts: (id) => list(id, "prompts"),
  toolCall: (id, name, argumentsJson, call) => unwrap(commands.toolCall(id, name, argumentsJson, call)),
  toolCancel: (call) => done(commands.engineRequest({ request: "cancel_call", call })),
  elicitationAnswer: (id, answer, contentJson) => done(commands.elicitationAnswer(id, answer, contentJson)),
};
