import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";

import { describe, expect, it } from "vitest";

const SRC = resolve(import.meta.dirname, "../src");
const IMPORT = /(?:\bfrom|\bimport)\s*\(?\s*"(\.[^"]+)"/g;

/** The modules of ui/src and what each imports, types and dynamic imports included. */
function imports(): Map<string, string[]> {
  const files = readdirSync(SRC, { recursive: true, encoding: "utf8" })
    .filter((file) => /\.(ts|svelte)$/.test(file) && !file.startsWith("paraglide"))
    .map((file) => join(SRC, file));
  return new Map(
    files.map((file) => {
      const paths = [...readFileSync(file, "utf8").matchAll(IMPORT)].map(([, path]) => path ?? "");
      const targets = paths.flatMap((path) => {
        const target = resolve(dirname(file), path);
        return [target, `${target}.ts`].filter((candidate) => files.includes(candidate));
      });
      return [relative(SRC, file), targets.map((target) => relative(SRC, target))];
    }),
  );
}

/** The first cycle found, as a path of modules. */
function cycle(graph: Map<string, string[]>): string[] {
  const finished = new Set<string>();
  function visit(module: string, path: string[]): string[] {
    if (path.includes(module)) return [...path.slice(path.indexOf(module)), module];
    if (finished.has(module)) return [];
    for (const next of graph.get(module) ?? []) {
      const found = visit(next, [...path, module]);
      if (found.length > 0) return found;
    }
    finished.add(module);
    return [];
  }
  for (const module of graph.keys()) {
    const found = visit(module, []);
    if (found.length > 0) return found;
  }
  return [];
}

describe("the modules of ui/src", () => {
  const graph = imports();

  it("have no import cycle", () => {
    expect(graph.get("App.svelte")).toContain("state/usher.svelte.ts");
    expect(cycle(graph)).toEqual([]);
  });

  it("have an import cycle if one is added", () => {
    const backend = "backend/backend.ts";
    expect(cycle(new Map([...graph, [backend, ["App.svelte"]]]))).toContain(backend);
  });

  it("import features only from features and from App", () => {
    const wrong = [...graph].flatMap(([module, targets]) =>
      module.startsWith("features/") || module === "App.svelte"
        ? []
        : targets.filter((target) => target.startsWith("features/")).map((target) => `${module} → ${target}`),
    );
    expect(wrong).toEqual([]);
  });

  it("are all used", () => {
    const used = new Set([...graph.values()].flat());
    const unused = [...graph.keys()].filter((module) => !used.has(module) && module !== "main.ts");
    expect(unused).toEqual([]);
  });
});
