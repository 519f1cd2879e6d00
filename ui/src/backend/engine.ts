import { commands, events } from "./bindings";
import { done, unwrap } from "./ipc";
import type { Event, Snapshot } from "./types";

/** The engine's state and changes, and the pause of all services. */
export interface EngineBackend {
  /**
   * Resolves once it is listening, so that a snapshot requested afterwards misses nothing. `replaced` gets a whole
   * snapshot when another engine took over; its revisions begin again.
   */
  subscribe(listener: (event: Event) => void, replaced: (snapshot: Snapshot) => void): Promise<() => void>;
  /** Waits for the engine to start, and rejects with the reason if it cannot. */
  snapshot(): Promise<Snapshot>;
  /** Disconnects all services until `serversResume` or the next start. */
  serversPause(): Promise<void>;
  serversResume(): Promise<void>;
}

export const engine: EngineBackend = {
  async subscribe(listener, replaced) {
    const stops = await Promise.all([
      events.engineEvent.listen(({ payload }) => listener(payload)),
      events.snapshotTaken.listen(({ payload }) => replaced(payload)),
    ]);
    return () => stops.forEach((stop) => stop());
  },
  snapshot: () => unwrap(commands.snapshot()),
  serversPause: () => done(commands.engineRequest({ request: "pause_all" })),
  serversResume: () => done(commands.engineRequest({ request: "resume_all" })),
};
