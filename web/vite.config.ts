import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync, gzipSync } from "node:zlib";
import { defineConfig, type Plugin } from "vite";

/** Compressed once, and not for each request: anybody may ask for the page. */
const compress: Plugin = {
  name: "compress",
  writeBundle({ dir = "" }) {
    const folder = join(dir, "assets");
    for (const name of readdirSync(folder)) {
      if (!/\.(js|css|svg|json|wasm)$/.test(name)) continue;
      const path = join(folder, name);
      const bytes = readFileSync(path);
      writeFileSync(`${path}.br`, brotliCompressSync(bytes));
      writeFileSync(`${path}.gz`, gzipSync(bytes, { level: 9 }));
    }
  },
};

/** The page: `npm run build` puts it into dist/web, from where src/routes/page.ts serves it. */
export default defineConfig({
  root: import.meta.dirname,
  // Relative, so that the page works under any path that a proxy gives it.
  base: "./",
  plugins: [compress],
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
