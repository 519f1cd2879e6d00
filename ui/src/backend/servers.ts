import { commands } from "./bindings";
import { done, unwrap } from "./ipc";
import type { NewServer, ServerId } from "./types";

/** The servers of `mcp.json` and their connections. */
export interface ServersBackend {
  serverAdd(server: NewServer): Promise<ServerId>;
  serverRemove(id: ServerId): Promise<void>;
  serverEnable(id: ServerId): Promise<void>;
  serverDisable(id: ServerId): Promise<void>;
  serverConnect(id: ServerId): Promise<void>;
  serverDisconnect(id: ServerId): Promise<void>;
  /** Starts the demo service, adds it and begins its sign-in. */
  demoAdd(): Promise<ServerId>;
}

export const servers: ServersBackend = {
  serverAdd: (server) => unwrap(commands.serverAdd(server)),
  serverRemove: (id) => done(commands.serverRemove(id)),
  serverEnable: (id) => done(commands.serverEnable(id)),
  serverDisable: (id) => done(commands.serverDisable(id)),
  serverConnect: (id) => done(commands.serverConnect(id)),
  serverDisconnect: (id) => done(commands.serverDisconnect(id)),
  demoAdd: () => unwrap(commands.demoAdd()),
};
