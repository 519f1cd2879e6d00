import { dirname, join } from "node:path";

import { describe, expect, it } from "vitest";

const IMPORT = /(?:\bfrom|\bimport|\bnew URL)\s*\(?\s*"(\.[^"]+)"/g;
const SOURCES = import.meta.glob<string>(["../src/**/*.{ts,svelte}", "!../src/paraglide/**"], {
  query: "?raw",
  import: "default",
  eager: true,
});

/** The modules of ui/src and what each imports, types and dynamic imports included. */
function imports(): Map<string, string[]> {
  const nameOf = (file: string) => file.replace("../src/", "");
  return new Map(
    Object.entries(SOURCES).map(([file, source]) => {
      const paths = [...source.matchAll(IMPORT)].map(([, path]) => join(dirname(file), path ?? ""));
      const targets = paths.flatMap((path) => [path, `${path}.ts`]).filter((path) => path in SOURCES);
      return [nameOf(file), targets.map(nameOf)];
    }),
  );
}

/** The modules in import cycles, and the modules that import them. */
function cyclic(graph: Map<string, string[]>): string[] {
  const rest = new Map(graph);
  for (;;) {
    const leaves = [...rest].filter(([, targets]) => !targets.some((target) => rest.has(target)));
    if (leaves.length === 0) return [...rest.keys()];
    for (const [module] of leaves) rest.delete(module);
  }
}

describe("the modules of ui/src", () => {
  const graph = imports();

  it("have no import cycle", () => {
    expect(graph.get("App.svelte")).toContain("state/usher.svelte.ts");
    expect(cyclic(graph)).toEqual([]);
  });

  it("are reported if they form an import cycle", () => {
    const backend = "backend/backend.ts";
    expect(cyclic(new Map([...graph, [backend, ["App.svelte"]]]))).toContain(backend);
  });

  it("import no feature, except in features and in App", () => {
    const wrong = [...graph].flatMap(([module, targets]) =>
      module.startsWith("features/") || module === "App.svelte"
        ? []
        : targets.filter((target) => target.startsWith("features/")).map((target) => `${module} → ${target}`),
    );
    expect(wrong).toEqual([]);
  });

  it("load the code editor only when it is opened", () => {
    const isStatic = (source: string) =>
      [...source.matchAll(/^\s*import\b[^;(]*?"([^"]+)";/gm)].map(([, name]) => name ?? "");
    const sourceOf = (module: string) => SOURCES[`../src/${module}`] ?? "";
    const loaded = new Set(["main.ts"]);
    for (const module of loaded) {
      const names = isStatic(sourceOf(module)).map((name) => join(dirname(module), name));
      for (const target of graph.get(module) ?? [])
        if (names.some((name) => target === name || target === `${name}.ts`)) loaded.add(target);
    }
    expect(loaded).toContain("features/main/MainScreen.svelte");
    expect(loaded).not.toContain("features/mcp-json/McpJson.svelte");
    const packages = [...loaded].flatMap((module) => isStatic(sourceOf(module)));
    expect(packages.filter((name) => /codemirror|lezer|style-mod|lang-jsonc/.test(name))).toEqual([]);
  });

  it("are all used", () => {
    const used = new Set([...graph.values()].flat());
    const unused = [...graph.keys()].filter((module) => !used.has(module) && module !== "main.ts");
    expect(unused).toEqual([]);
  });
});
