import { commands } from "./bindings";
import { done, unwrap } from "./ipc";
import type { ConfigView, SecretStoreChoice } from "./types";

/** `mcp.json` and the secret store. */
export interface ConfigBackend {
  /** Opens `mcp.json` in the person's editor. */
  configOpen(): Promise<void>;
  /** Reads `mcp.json` again. */
  configCheck(): Promise<ConfigView>;
  secretStoreRetry(): Promise<void>;
  secretStoreChoose(choice: SecretStoreChoice): Promise<void>;
}

export const config: ConfigBackend = {
  configOpen: () => done(commands.configOpen()),
  configCheck: () => unwrap(commands.configCheck()),
  secretStoreRetry: () => done(commands.secretStoreRetry()),
  secretStoreChoose: (choice) => done(commands.secretStoreChoose(choice)),
};
