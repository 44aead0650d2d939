import { createHash } from "node:crypto";
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { defineConfig, type Plugin } from "vite";

const here = import.meta.dirname;
const page = join(here, "../src/unwarp/app/explorer/page");
const proxied = process.env.EXPLORER ?? "http://127.0.0.1:8765";

/** The checksum of a text file, the same whichever line endings a checkout has. */
function checksum(path: string): string {
  const text = readFileSync(path, "utf8").replaceAll("\r\n", "\n");
  return createHash("sha256").update(text).digest("hex");
}

/** All files under a folder, sorted. */
function files(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

/** Writes the checksums of the sources and of what was built from them, as sha256sum does. */
function checksums(): Plugin {
  return {
    name: "checksums",
    apply: "build",
    closeBundle() {
      const single = ["index.html", "package.json", "package-lock.json", "tsconfig.json", "vite.config.ts"];
      const sources = [...single.map((name) => join(here, name)), ...files(join(here, "src"))];
      const built = files(page);
      const lines = [...sources, ...built]
        .filter((path) => !path.endsWith(".sha256"))
        .map((path) => `${checksum(path)}  ${relative(join(here, ".."), path).replaceAll("\\", "/")}`)
        .sort((a, b) => (a.slice(66) < b.slice(66) ? -1 : 1));
      writeFileSync(join(page, "sources.sha256"), lines.join("\n") + "\n");
    },
  };
}

export default defineConfig({
  base: "./",
  plugins: [checksums()],
  server: { proxy: { "/v1": proxied } },
  build: {
    outDir: page,
    emptyOutDir: true,
    target: "es2022",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
});
