import { describe, expect, it } from "vitest";

import sequence from "../../../tests/fixtures/events.json";
import type { Backend } from "../../src/backend/backend";
import type { Event, ServerView, Snapshot } from "../../src/backend/bindings";
import { EngineState, type OfferKind } from "../../src/state/engine.svelte";
import { FakeBackend } from "../support/fake-backend";
import { config, elicitation, error, server, snapshot } from "../support/views";

function changed(revision: number, overrides: Partial<ServerView> = {}): Event {
  return { event: "server_changed", revision, view: server(overrides) };
}

function names(engine: EngineState): string[] {
  return engine.servers.map((view) => view.name);
}

async function started(current: Partial<Snapshot> = {}) {
  const backend = new FakeBackend(current);
  const engine = new EngineState(backend);
  await engine.start();
  return { engine, backend };
}

describe("the engine's state", () => {
  it("subscribes before it requests the snapshot", async () => {
    const order: string[] = [];
    const fake = new FakeBackend();
    const backend = Object.create(fake) as Backend;
    backend.subscribe = async (...args) => {
      order.push("subscribe");
      return fake.subscribe(...args);
    };
    backend.snapshot = async () => {
      order.push("snapshot");
      return fake.current;
    };
    await new EngineState(backend).start();
    expect(order).toEqual(["subscribe", "snapshot"]);
  });

  it("keeps events that arrive before the snapshot, and drops those that the snapshot contains", async () => {
    const backend = new FakeBackend({ revision: 10 });
    let deliver: (snapshot: Snapshot) => void = () => undefined;
    backend.snapshot = () => new Promise((resolve) => (deliver = resolve));
    const engine = new EngineState(backend);
    const starting = engine.start();
    await new Promise((resolve) => setTimeout(resolve));
    backend.emit(changed(9, { name: "Older" }));
    backend.emit(changed(10, { name: "In the snapshot" }));
    backend.emit(changed(11, { name: "Newer" }));
    deliver(backend.current);
    await starting;
    expect(names(engine)).toEqual(["Newer"]);
  });

  it("drops an older event of the same server, and keeps an event of a different server", async () => {
    const { engine, backend } = await started({
      servers: [server(), server({ id: "linear", name: "Linear" })],
    });
    backend.emit(changed(11, { name: "First" }));
    backend.emit(changed(12, { name: "Second" }));
    backend.emit(changed(11, { name: "Late" }));
    backend.emit(changed(13, { id: "linear", name: "Other" }));
    expect(names(engine)).toEqual(["Second", "Other"]);
  });

  it("leaves out the untouched examples of a new file, until they are changed", async () => {
    const { engine, backend } = await started({
      servers: [server({ id: "example-http", name: "Example", is_example: true }), server()],
    });
    expect(names(engine)).toEqual(["Notion"]);
    backend.emit(changed(11, { id: "example-http", name: "Mine" }));
    backend.emit({ event: "config_changed", revision: 12, order: ["example-http", "notion"], config });
    expect(names(engine)).toEqual(["Mine", "Notion"]);
    backend.emit(changed(13, { id: "example-http", name: "Example", is_example: true }));
    expect(names(engine)).toEqual(["Notion"]);
  });

  it("does not restore a removed server with an older event", async () => {
    const { engine, backend } = await started();
    backend.emit({ event: "server_removed", revision: 12, id: "notion" });
    backend.emit(changed(11, { name: "Late" }));
    expect(engine.servers).toEqual([]);
  });

  it("accepts gaps between revisions, since other programs get some events", async () => {
    const { engine, backend } = await started();
    backend.emit(changed(13, { name: "Later" }));
    backend.emit(changed(17, { name: "Much later" }));
    expect(names(engine)).toEqual(["Much later"]);
    expect(backend.callsOf("snapshot")).toHaveLength(1);
  });

  it("accepts a new engine's snapshot of any revision, and continues from there", async () => {
    const { engine, backend } = await started({ revision: 50 });
    backend.replace(snapshot({ revision: 2, servers: [server({ name: "New engine" })] }));
    expect(names(engine)).toEqual(["New engine"]);
    backend.emit(changed(3, { name: "Newer" }));
    expect(names(engine)).toEqual(["Newer"]);
  });

  it("does not let the old engine's snapshot overwrite the new one's", async () => {
    const { engine, backend } = await started();
    let deliver: (snapshot: Snapshot) => void = () => undefined;
    backend.snapshot = () => new Promise((resolve) => (deliver = resolve));
    const reloading = engine.reload();
    backend.replace(snapshot({ revision: 2, servers: [server({ name: "New engine" })] }));
    deliver(snapshot({ revision: 99, servers: [] }));
    await reloading;
    expect(names(engine)).toEqual(["New engine"]);
  });

  it("follows the order of mcp.json", async () => {
    const { engine, backend } = await started({
      servers: [
        server({ id: "a", name: "A" }),
        server({ id: "b", name: "B" }),
        server({ id: "c", name: "C" }),
      ],
    });
    backend.emit({ event: "config_changed", revision: 11, order: ["c", "a"], config });
    expect(names(engine)).toEqual(["C", "A", "B"]);
  });

  it("keeps the services when mcp.json breaks", async () => {
    const { engine, backend } = await started();
    const broken = { ...config, error: error("config_invalid", "A comma is missing."), line: 4, column: 12 };
    backend.emit({ event: "config_rejected", revision: 11, config: broken });
    expect(engine.config).toEqual(broken);
    expect(names(engine)).toEqual(["Notion"]);
  });

  it("gives the demo its logo", async () => {
    const { engine } = await started({ servers: [server({ id: "demo", catalogue: null })] });
    expect(engine.server("demo")?.catalogue).toBe("demo");
  });

  it("tracks whether all services are paused", async () => {
    const { engine, backend } = await started({ paused: true });
    expect(engine.paused).toBe(true);
    backend.emit({ event: "paused_changed", revision: 11, paused: false });
    expect(engine.paused).toBe(false);
    backend.emit({ event: "paused_changed", revision: 11, paused: true });
    expect(engine.paused).toBe(false);
  });

  it("tracks the lists of each service and kind separately", async () => {
    const { engine, backend } = await started();
    backend.emit({ event: "prompts_changed", revision: 11, id: "notion" });
    backend.emit({ event: "resources_changed", revision: 12, id: "linear" });
    const listed = (id: string) =>
      (["tool", "resource", "prompt"] as const).map((kind) => engine.listed(kind, id));
    expect([listed("notion"), listed("linear")]).toEqual([
      [undefined, undefined, 11],
      [undefined, 12, undefined],
    ]);
  });

  it("keeps elicitations until they end", async () => {
    const { engine, backend } = await started();
    const question = elicitation({ id: "q" });
    backend.emit({ event: "elicitation_requested", revision: 11, elicitation: question });
    expect(engine.elicitations).toEqual([question]);
    backend.emit({ event: "elicitation_ended", revision: 12, id: "q" });
    expect(engine.elicitations).toEqual([]);
  });

  it("reports why it could not start, and can start later", async () => {
    const backend = new FakeBackend();
    const view = error("internal", "Another Usher is running.");
    backend.fail("snapshot", view);
    const engine = new EngineState(backend);
    await engine.start();
    expect([engine.phase, engine.startError]).toEqual(["failed", view]);
    backend.snapshot = () => Promise.resolve(backend.current);
    await engine.start();
    expect(engine.phase).toBe("ready");
  });

  it("continues automatically when the engine starts later", async () => {
    const backend = new FakeBackend();
    backend.fail("snapshot", error("engine_busy", "The usher command is running."));
    const engine = new EngineState(backend);
    await engine.start();
    expect(engine.phase).toBe("failed");
    backend.replace(snapshot({ revision: 3 }));
    expect([engine.phase, names(engine)]).toEqual(["ready", ["Notion"]]);
  });

  // crates/ipc mirrors the same state, and its tests read the same file.
  it("follows the recorded sequence", async () => {
    const { initial, events, midway, expected } = sequence as unknown as {
      initial: Snapshot;
      events: Event[];
      midway: Pick<Snapshot, "revision" | "paused" | "config">;
      expected: Snapshot;
    };
    const { engine, backend } = await started(initial);
    for (const event of events) {
      backend.emit(event);
      if (event.revision === midway.revision) {
        expect([engine.paused, engine.config]).toEqual([midway.paused, midway.config]);
      }
    }
    const { servers, config, secretStore, paused, elicitations } = engine;
    expect({
      revision: events.at(-1)?.revision,
      servers,
      config,
      secret_store: secretStore,
      paused,
      elicitations,
    }).toEqual(expected);
    expect(engine.progress.get("call-1")).toMatchObject({ progress: 2.5, total: null, message: null });
    expect(["tool", "resource", "prompt"].map((kind) => engine.listed(kind as OfferKind, "notion"))).toEqual([
      13, 14, 15,
    ]);
    const kinds: Record<Event["event"], true> = {
      server_changed: true,
      server_removed: true,
      config_changed: true,
      config_rejected: true,
      secret_store_changed: true,
      paused_changed: true,
      tools_changed: true,
      resources_changed: true,
      prompts_changed: true,
      call_progressed: true,
      call_waits_for_answer: true,
      elicitation_requested: true,
      elicitation_ended: true,
    };
    expect(new Set(events.map(({ event }) => event))).toEqual(new Set(Object.keys(kinds)));
  });
});
