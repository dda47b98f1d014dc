import { defineConfig } from "vite";

/** The page: `npm run build` puts it into dist/web, from where src/routes/page.ts serves it. */
export default defineConfig({
  root: import.meta.dirname,
  // Relative, so that the page works under any path that a proxy gives it.
  base: "./",
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  build: {
    outDir: "../dist/web",
    emptyOutDir: true,
    target: "es2022",
    // The policy of the page allows no data: URLs for scripts, styles and fonts.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    license: { fileName: "licenses.md" },
  },
});
