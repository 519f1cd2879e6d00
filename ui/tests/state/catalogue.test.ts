import { describe, expect, it } from "vitest";

import { FakeBackend } from "../support/fake-backend";
import { started } from "../support/usher";
import { catalogue as entries, error, server } from "../support/views";

function entry(slug: string) {
  const found = entries.find((entry) => entry.slug === slug);
  if (!found) throw new Error(slug);
  return found;
}

describe("the catalogue", () => {
  it("recognises an added service by its entry or its address", async () => {
    const linear = entry("linear");
    const servers = [server(), server({ id: "mine", catalogue: null, address: linear.url })];
    const { catalogue } = await started(new FakeBackend({ servers }));
    expect(["notion", "linear", "slack"].map((slug) => catalogue.added(entry(slug))?.id)).toEqual([
      "notion",
      "mine",
      undefined,
    ]);
  });

  it("has the setup steps of guided services", async () => {
    const { catalogue } = await started();
    expect(catalogue.setUp(server({ catalogue: "slack" }))).toEqual(entry("slack").setup);
    expect([catalogue.setUp(server()), catalogue.setUp(server({ catalogue: null }))]).toEqual([null, null]);
  });

  it("is empty if it cannot be loaded", async () => {
    const failing = new FakeBackend().fail("catalogueList", error("internal", "No."));
    expect((await started(failing)).catalogue.entries).toEqual([]);
  });
});
