import { describe, expect, it, vi } from "vitest";

import { Search } from "../../src/lib/search";

/** The items that a search finds, when it is done. */
function found<Item>(search: Search<Item>, query: string): Promise<readonly Item[]> {
  return new Promise((resolve) => search.find(query, resolve));
}

describe("a search", () => {
  it("finds the items that contain all words, wherever they are", async () => {
    const search = new Search(["Read a page", "Delete PAGE", "Who am I"], (item) => [item, "extra", null]);
    expect(await found(search, " page  read")).toEqual(["Read a page"]);
    expect(await found(search, "EXTRA")).toHaveLength(3);
    expect(await found(search, " ")).toHaveLength(3);
    expect(await found(search, "nothing")).toEqual([]);
  });

  it("of a short list is done at once", () => {
    const onfound = vi.fn();
    new Search(["a", "b"], (item) => [item]).find("b", onfound);
    expect(onfound.mock.calls).toEqual([[["b"]]]);
  });

  it("makes the text of each item once, of its first characters", async () => {
    const textsOf = vi.fn((item: string) => [item, `${"x".repeat(1_000_000)} needle`]);
    const search = new Search(["first", "second"], textsOf);
    expect(await found(search, "second")).toEqual(["second"]);
    expect(await found(search, "needle")).toEqual([]);
    expect(textsOf).toHaveBeenCalledTimes(2);
  });

  it("of 60,000 items lets the window work in between, and can be stopped", async () => {
    const items = Array.from({ length: 60_000 }, (_, index) => `tool ${index}`);
    const search = new Search(items, (item) => [item, "description ".repeat(100)]);
    // Each look at the clock finds that the time is up.
    let now = 0;
    vi.spyOn(performance, "now").mockImplementation(() => (now += 1_000));
    const stopped = vi.fn();
    const stop = search.find("description", stopped);
    expect(stopped).not.toHaveBeenCalled();
    stop();
    expect(await found(search, "59999")).toEqual(["tool 59999"]);
    expect(stopped).not.toHaveBeenCalled();
  });
});
