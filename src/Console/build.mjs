// Builds the console into obj/dist; src/Edge's project calls it, and `node src/Console/build.mjs` does by hand. Installs npm's packages first where
// some are missing. Nothing of it is needed at run time.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

const here = dirname(fileURLToPath(import.meta.url));
const root = join(here, "..", "..");
const out = join(here, "obj", "dist");
const stamp = join(here, "obj", "console.stamp");
const lock = join(here, "obj", "build.lock");

/** No build takes as long as this, in ms: the lock's process is another one by now, of the same number. */
const HeldAtMost = 600_000;

const sleep = (milliseconds) => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);

const isRunning = (pid) => {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === "EPERM";
  }
};

/** Undefined where nobody holds the lock; a process that has not written its number yet is 0. */
function holder() {
  try {
    return { pid: Number(readFileSync(lock, "utf8")), since: statSync(lock).mtimeMs };
  } catch (error) {
    if (error.code !== "ENOENT") throw error;
    return undefined;
  }
}

/** One build of a checkout at a time. A lock whose holder was killed is taken over. */
function acquire() {
  mkdirSync(dirname(lock), { recursive: true });
  for (let isSaid = false; ; ) {
    try {
      writeFileSync(lock, String(process.pid), { flag: "wx" });
      process.on("exit", () => holder()?.pid === process.pid && rmSync(lock, { force: true }));
      return;
    } catch (error) {
      if (error.code !== "EEXIST") throw error;
    }
    const held = holder();
    if (!held) continue;
    if ((held.pid && !isRunning(held.pid)) || held.since < Date.now() - HeldAtMost) {
      rmSync(lock, { force: true });
      continue;
    }
    if (held.pid && !isSaid) console.log(`waiting for process ${held.pid}, which builds the console`);
    isSaid ||= held.pid > 0;
    sleep(200);
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
// What is saved while this builds may not be in it: it is newer than this build.
const begun = new Date();
const inputs = ["build.mjs", "vite.config.mjs", "tsconfig.json", "index.html", "public", "src"].map((name) => join(here, name));
inputs.push(join(root, "clients", "typescript", "src"), join(root, "package-lock.json"));
// Who waited for another build of the same sources is done.
if (existsSync(stamp) && statSync(stamp).mtimeMs > newest(inputs)) process.exit(0);

// The lock under which .NET programs install (NodePackages: an open file, .data/npm.lock) cannot be taken from Node.js: where one of them installs at this very
// moment, as on the first start of a checkout beside its first build, one of the two may fail, and is to be called again.
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
utimesSync(stamp, begun, begun);
