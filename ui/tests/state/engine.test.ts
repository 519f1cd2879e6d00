import { describe, expect, it } from "vitest";

import { Refusal, type Backend } from "../../src/backend/backend";
import type { Event, ServerView, Snapshot } from "../../src/backend/types";
import { EngineState } from "../../src/state/engine.svelte";
import { FakeBackend } from "../support/fake-backend";
import { config, error, server, snapshot } from "../support/views";

function changed(revision: number, more: Partial<ServerView> = {}): Event {
  return { event: "server_changed", revision, view: server(more) };
}

function names(engine: EngineState): string[] {
  return engine.servers.map((view) => view.name);
}

async function started(
  current: Partial<Snapshot> = {},
): Promise<{ engine: EngineState; backend: FakeBackend }> {
  const backend = new FakeBackend(current);
  const engine = new EngineState(backend);
  await engine.start();
  return { engine, backend };
}

describe("the engine's state", () => {
  it("listens before it asks for the snapshot", async () => {
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

  it("keeps what came while the snapshot was on its way, and drops what is in it already", async () => {
    const backend = new FakeBackend({ revision: 10 });
    let deliver: (snapshot: Snapshot) => void = () => undefined;
    backend.snapshot = () => new Promise((resolve) => (deliver = resolve));
    const engine = new EngineState(backend);
    const starting = engine.start();
    await new Promise((resolve) => setTimeout(resolve));
    backend.tell(changed(9, { name: "Older" }));
    backend.tell(changed(10, { name: "In the snapshot" }));
    backend.tell(changed(11, { name: "Newer" }));
    deliver(backend.current);
    await starting;
    expect(names(engine)).toEqual(["Newer"]);
  });

  it("drops an older word on the same server, and keeps one on another", async () => {
    const { engine, backend } = await started({
      servers: [server(), server({ id: "linear", name: "Linear" })],
    });
    backend.tell(changed(11, { name: "First" }));
    backend.tell(changed(12, { name: "Second" }));
    backend.tell(changed(11, { name: "Late" }));
    backend.tell(changed(13, { id: "linear", name: "Other" }));
    expect(names(engine)).toEqual(["Second", "Other"]);
  });

  it("does not bring a removed server back by an older word", async () => {
    const { engine, backend } = await started();
    backend.tell({ event: "server_removed", revision: 12, id: "notion" });
    backend.tell(changed(11, { name: "Late" }));
    expect(engine.servers).toEqual([]);
  });

  it("misses nothing where other programs are told something of their own", async () => {
    const { engine, backend } = await started();
    backend.tell(changed(13, { name: "Later" }));
    backend.tell(changed(17, { name: "Much later" }));
    expect(names(engine)).toEqual(["Much later"]);
    expect(backend.asked("snapshot")).toHaveLength(1);
  });

  it("takes a replacement whatever its revision, and goes on from there", async () => {
    const { engine, backend } = await started({ revision: 50 });
    backend.replace(snapshot({ revision: 2, servers: [server({ name: "New engine" })] }));
    expect(names(engine)).toEqual(["New engine"]);
    backend.tell(changed(3, { name: "Newer" }));
    expect(names(engine)).toEqual(["Newer"]);
  });

  it("does not let the old engine's answer overwrite the new one's", async () => {
    const { engine, backend } = await started();
    let deliver: (snapshot: Snapshot) => void = () => undefined;
    backend.snapshot = () => new Promise((resolve) => (deliver = resolve));
    const asking = engine.refresh();
    backend.replace(snapshot({ revision: 2, servers: [server({ name: "New engine" })] }));
    deliver(snapshot({ revision: 99, servers: [] }));
    await asking;
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
    backend.tell({ event: "config_changed", revision: 11, order: ["c", "a"], config });
    expect(names(engine)).toEqual(["C", "A", "B"]);
  });

  it("keeps the services when mcp.json breaks", async () => {
    const { engine, backend } = await started();
    const broken = { ...config, error: error("config_invalid", "A comma is missing."), line: 4, column: 12 };
    backend.tell({ event: "config_rejected", revision: 11, config: broken });
    expect(engine.config).toEqual(broken);
    expect(names(engine)).toEqual(["Notion"]);
  });

  it("names the demo before it names itself", async () => {
    const { engine, backend } = await started({ servers: [server({ id: "demo", name: "demo" })] });
    expect(names(engine)).toEqual(["Demo notebook"]);
    backend.tell(changed(11, { id: "demo", name: "Usher demo notebook" }));
    expect(names(engine)).toEqual(["Usher demo notebook"]);
  });

  it("knows whether everything is paused", async () => {
    const { engine, backend } = await started({ paused: true });
    expect(engine.paused).toBe(true);
    backend.tell({ event: "paused_changed", revision: 11, paused: false });
    expect(engine.paused).toBe(false);
    backend.tell({ event: "paused_changed", revision: 11, paused: true });
    expect(engine.paused).toBe(false);
  });

  it("tells the lists of one service and kind from all others", async () => {
    const { engine, backend } = await started();
    backend.tell({ event: "prompts_changed", revision: 11, id: "notion" });
    backend.tell({ event: "resources_changed", revision: 12, id: "linear" });
    const of = (id: string) =>
      (["tool", "resource", "prompt"] as const).map((kind) => engine.listed(kind, id));
    expect([of("notion"), of("linear")]).toEqual([
      [undefined, undefined, 11],
      [undefined, 12, undefined],
    ]);
  });

  it("holds questions until they end", async () => {
    const { engine, backend } = await started();
    const question = { id: "q", server: "notion", call: null, message: "Which?", schema: "{}", url: null };
    backend.tell({ event: "elicitation_requested", revision: 11, elicitation: question });
    expect(engine.elicitations).toEqual([question]);
    backend.tell({ event: "elicitation_ended", revision: 12, id: "q" });
    expect(engine.elicitations).toEqual([]);
  });

  it("tells why it could not start, and starts later", async () => {
    const backend = new FakeBackend();
    const view = error("internal", "Another Usher runs.");
    backend.snapshot = () => Promise.reject(new Refusal(view));
    const engine = new EngineState(backend);
    await engine.start();
    expect([engine.phase, engine.failure]).toEqual(["failed", view]);
    backend.snapshot = () => Promise.resolve(backend.current);
    await engine.start();
    expect(engine.phase).toBe("ready");
  });

  it("goes on by itself when the engine comes after all", async () => {
    const backend = new FakeBackend();
    backend.snapshot = () =>
      Promise.reject(new Refusal(error("engine_busy", "An `usher` command is at work.")));
    const engine = new EngineState(backend);
    await engine.start();
    expect(engine.phase).toBe("failed");
    backend.replace(snapshot({ revision: 3 }));
    expect([engine.phase, names(engine)]).toEqual(["ready", ["Notion"]]);
  });
});
