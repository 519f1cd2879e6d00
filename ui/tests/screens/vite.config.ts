import { defineConfig, mergeConfig } from "vite";

import base from "../../vite.config.ts";

/** The screens' page, built as the app is, and never shipped. */
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
