import { resolve } from "node:path";

import { svelteTesting } from "@testing-library/svelte/vite";
import { defineConfig, mergeConfig } from "vitest/config";

import base from "./vite.config.ts";

export default mergeConfig(
  base,
  defineConfig({
    plugins: [svelteTesting()],
    resolve: { alias: { "bits-ui": resolve(import.meta.dirname, "tests/support/bits-ui.ts") } },
    test: {
      environment: "jsdom",
      include: ["tests/**/*.test.ts"],
      setupFiles: ["tests/support/setup.ts"],
      css: false,
      // The files of a worker share their modules and their document, which saves almost half of the time.
      isolate: false,
      // By default one core stays idle, which is half of a small machine.
      maxWorkers: "100%",
      // Generous, because the tests may run beside a compiler.
      testTimeout: 60_000,
      restoreMocks: true,
    },
  }),
);
