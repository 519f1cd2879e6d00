import type { AppBackend } from "./app";
import type { ConfigBackend } from "./config";
import type { EngineBackend } from "./engine";
import type { ServersBackend } from "./servers";
import type { SignInBackend } from "./sign-in";
import type { ToolsBackend } from "./tools";

/**
 * The calls that leave the page: to the shell in the app, to a scripted backend in tests and on the screenshots page.
 * Every call rejects only with a `BackendError`.
 */
export type Backend = AppBackend &
  EngineBackend &
  ServersBackend &
  SignInBackend &
  ToolsBackend &
  ConfigBackend;
