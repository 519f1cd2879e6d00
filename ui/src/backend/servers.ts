import { commands } from "./bindings";
import { serverVerb, unwrap } from "./ipc";
import type { NewServer, ServerId, ServerVerb } from "./types";

/** The servers of `mcp.json` and their connections. */
export interface ServersBackend {
  serverAdd(server: NewServer): Promise<ServerId>;
  serverRemove(id: ServerId): Promise<void>;
  serverEnable(id: ServerId): Promise<void>;
  serverDisable(id: ServerId): Promise<void>;
  serverConnect(id: ServerId): Promise<void>;
  serverDisconnect(id: ServerId): Promise<void>;
  /** Sends a verb that has no method of its own. */
  serverVerb(id: ServerId, verb: ServerVerb): Promise<void>;
  /** Starts the demo service, adds it and begins its sign-in. */
  demoAdd(): Promise<ServerId>;
}

export const servers: ServersBackend = {
  serverAdd: (server) => unwrap(commands.serverAdd(server)),
  serverRemove: (id) => serverVerb(id, "remove"),
  serverEnable: (id) => serverVerb(id, "enable"),
  serverDisable: (id) => serverVerb(id, "disable"),
  serverConnect: (id) => serverVerb(id, "connect"),
  serverDisconnect: (id) => serverVerb(id, "disconnect"),
  serverVerb,
  demoAdd: () => unwrap(commands.demoAdd()),
};
