import process from "node:process";

import { paraglideVitePlugin } from "@inlang/paraglide-js";
import { svelte } from "@sveltejs/vite-plugin-svelte";
import tailwindcss from "@tailwindcss/vite";
import { defineConfig } from "vite";

export default defineConfig({
  plugins: [
    // The test script compiles the messages itself: the plugin's watcher would keep vitest from exiting.
    process.env.VITEST
      ? []
      : paraglideVitePlugin({
          project: "./project.inlang",
          outdir: "./src/paraglide",
          strategy: ["baseLocale"],
        }),
    tailwindcss(),
    svelte(),
  ],
  clearScreen: false,
  server: {
    port: 1420,
    strictPort: true,
    host: "127.0.0.1",
    fs: { allow: [".", "../icons", "../crates/config"] },
  },
  worker: { format: "es" },
  build: {
    target: "es2022",
    cssTarget: ["safari16.4", "chrome111"],
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    // For the packages' third-party notices (xtask/src/bundle/notices).
    license: { fileName: "licences.json" },
  },
});
