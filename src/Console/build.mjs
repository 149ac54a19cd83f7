// Builds the console into obj/dist; src/Edge's project calls it, and `node src/Console/build.mjs` does by hand. Installs npm's packages first where
// some are missing. Nothing of it is needed at run time.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

const here = dirname(fileURLToPath(import.meta.url));
const root = join(here, "..", "..");
const out = join(here, "obj", "dist");
const stamp = join(here, "obj", "console.stamp");
const lock = join(here, "obj", "build.lock");

const sleep = (milliseconds) => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);

const isRunning = (pid) => {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === "EPERM";
  }
};

/** One build of a checkout at a time. A lock whose holder was killed is taken over. */
function acquire() {
  mkdirSync(dirname(lock), { recursive: true });
  for (;;) {
    try {
      writeFileSync(lock, String(process.pid), { flag: "wx" });
      process.on("exit", () => rmSync(lock, { force: true }));
      return;
    } catch (error) {
      if (error.code !== "EEXIST") throw error;
    }
    const holder = Number(existsSync(lock) ? readFileSync(lock, "utf8") : 0);
    if (holder && !isRunning(holder)) rmSync(lock, { force: true });
    else sleep(200);
  }
}

/** Whether the packages that the build needs are installed as package-lock.json says. Optional ones are a machine's own affair. */
function hasPackages() {
  const installed = join(root, "node_modules", ".package-lock.json");
  if (!existsSync(installed)) return false;
  const there = JSON.parse(readFileSync(installed, "utf8")).packages;
  const wished = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8")).packages;
  return Object.entries(wished).every(([path, { version, optional }]) => path === "" || optional || there[path]?.version === version);
}

function newest(paths) {
  let latest = 0;
  for (const path of paths) {
    const { mtimeMs } = statSync(path);
    latest = Math.max(latest, statSync(path).isDirectory() ? newest(readdirSync(path).map((name) => join(path, name))) : mtimeMs);
  }
  return latest;
}

const files = (folder) =>
  readdirSync(folder, { withFileTypes: true }).flatMap((entry) => (entry.isDirectory() ? files(join(folder, entry.name)) : [join(folder, entry.name)]));

acquire();
const inputs = ["build.mjs", "vite.config.mjs", "index.html", "public", "src"].map((name) => join(here, name));
inputs.push(join(root, "clients", "typescript", "src"), join(root, "package-lock.json"));
// Who waited for another build of the same sources is done.
if (existsSync(stamp) && statSync(stamp).mtimeMs > newest(inputs)) process.exit(0);

if (!hasPackages()) {
  console.log("installing npm packages (once)");
  const npm = process.platform === "win32" ? "npm.cmd" : "npm";
  const { status } = spawnSync(npm, ["ci", "--ignore-scripts", "--no-audit", "--no-fund"], { cwd: root, stdio: "inherit", shell: process.platform === "win32" });
  if (status !== 0) process.exit(status ?? 1);
}

const { build } = await import("vite");
await build({ configFile: join(here, "vite.config.mjs"), logLevel: "warn" });
// Compressed here, once: an edge that has just woken up has better things to do.
for (const file of files(join(out, "assets"))) {
  const content = readFileSync(file);
  writeFileSync(`${file}.br`, brotliCompressSync(content, { params: { [constants.BROTLI_PARAM_SIZE_HINT]: content.length } }));
  writeFileSync(`${file}.gz`, gzipSync(content, { level: 9 }));
}
writeFileSync(stamp, "");
