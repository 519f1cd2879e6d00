import process from "node:process";

import { paraglideVitePlugin } from "@inlang/paraglide-js";
import { svelte } from "@sveltejs/vite-plugin-svelte";
import tailwindcss from "@tailwindcss/vite";
import { defineConfig } from "vite";

export default defineConfig({
  plugins: [
    // The tests' script compiles the messages itself: the plugin's watcher would keep the runner from ending.
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
  build: {
    target: "es2022",
    cssTarget: ["safari16.4", "chrome111"],
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    // What the packages name as others' work (xtask/src/bundle/notices).
    license: { fileName: "licences.json" },
  },
});
