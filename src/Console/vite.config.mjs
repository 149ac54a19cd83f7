import { fileURLToPath } from "node:url";

const edge = process.env.OLLAMAMAX_EDGE ?? "http://127.0.0.1:11434";

/** @type {import("vite").UserConfig} */
export default {
  root: fileURLToPath(new URL(".", import.meta.url)),
  // Relative: the page may lie behind a prefix.
  base: "./",
  esbuild: { jsx: "automatic", legalComments: "none" },
  build: {
    outDir: "obj/dist",
    emptyOutDir: true,
    target: "es2022",
    manifest: true,
    modulePreload: { polyfill: false },
    // The page's policy lets nothing in that is written into it.
    assetsInlineLimit: 0,
    reportCompressedSize: false,
    chunkSizeWarningLimit: 700,
    rollupOptions: {
      onwarn: (warning, warn) => {
        // Packages say in each file that it is no server's, or place a hint where it is of no use: nothing of ours.
        if (warning.code !== "MODULE_LEVEL_DIRECTIVE" && warning.code !== "INVALID_ANNOTATION") warn(warning);
      },
    },
  },
  // `npx vite src/Console` serves the sources as they are edited, beside an edge that runs already.
  server: {
    proxy: Object.fromEntries(["/api", "/v1", "/jobs", "/cluster", "/keys", "/usage", "/audit", "/metrics", "/readyz"].map((path) => [path, edge])),
  },
};
