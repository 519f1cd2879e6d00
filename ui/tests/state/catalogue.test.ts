import { describe, expect, it } from "vitest";

import { Catalogue } from "../../src/state/catalogue.svelte";
import { EngineState } from "../../src/state/engine.svelte";
import { FakeBackend } from "../support/fake-backend";
import { catalogue, error, server } from "../support/views";

async function loaded(backend = new FakeBackend()) {
  const engine = new EngineState(backend);
  const state = new Catalogue(backend, engine);
  await Promise.all([engine.start(), state.load()]);
  return state;
}

function entry(slug: string) {
  const found = catalogue.find((entry) => entry.slug === slug);
  if (!found) throw new Error(slug);
  return found;
}

describe("the catalogue", () => {
  it("recognises an added service by its entry or its address", async () => {
    const linear = entry("linear");
    const servers = [server(), server({ id: "mine", catalogue: null, address: linear.url })];
    const state = await loaded(new FakeBackend({ servers }));
    expect(["notion", "linear", "slack"].map((slug) => state.added(entry(slug))?.id)).toEqual([
      "notion",
      "mine",
      undefined,
    ]);
  });

  it("has the setup steps of guided services", async () => {
    const state = await loaded();
    expect(state.setUp(server({ catalogue: "slack" }))).toEqual(entry("slack").setup);
    expect([state.setUp(server()), state.setUp(server({ catalogue: null }))]).toEqual([null, null]);
  });

  it("is empty if it cannot be loaded", async () => {
    const failing = new FakeBackend().fail("catalogueList", error("internal", "No."));
    expect((await loaded(failing)).entries).toEqual([]);
  });
});
