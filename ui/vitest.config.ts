import { svelteTesting } from "@testing-library/svelte/vite";
import { defineConfig, mergeConfig } from "vitest/config";

import base from "./vite.config.ts";

export default mergeConfig(
  base,
  defineConfig({
    plugins: [svelteTesting()],
    test: {
      environment: "jsdom",
      include: ["tests/**/*.test.ts"],
      setupFiles: ["tests/support/setup.ts"],
      css: false,
      // A machine that compiles beside the tests is slow, which is not their subject.
      testTimeout: 60_000,
      restoreMocks: true,
    },
  }),
);
