import { app } from "./app";
import type { Backend } from "./backend";
import { config } from "./config";
import { engine } from "./engine";
import { servers } from "./servers";
import { signIn } from "./sign-in";
import { tools } from "./tools";

/** The shell, over Tauri's IPC. */
export const tauriBackend: Backend = { ...app, ...engine, ...servers, ...signIn, ...tools, ...config };
