import { defineConfig, mergeConfig } from "vite";

import base from "../../vite.config.ts";

/** The screenshots page, built like the app but never shipped. */
export default mergeConfig(
  base,
  defineConfig({
    build: {
      outDir: "tests/site",
      emptyOutDir: true,
      rolldownOptions: { input: "tests/screens/index.html" },
    },
  }),
);
