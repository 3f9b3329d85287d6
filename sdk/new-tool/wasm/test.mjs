// Runs the module as the kernel does, once for each call, and checks what it answers. Needs Node 20.
import { closeSync, mkdtempSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { WASI } from "node:wasi";

const here = dirname(fileURLToPath(import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "tool-"));
const module = await WebAssembly.compile(readFileSync(join(here, "target/@NAME@.wasm")));

async function call(args) {
  writeFileSync(join(folder, "in"), JSON.stringify({ id: "sc-1", tool: "@NAME@", arguments: args }));
  const stdin = openSync(join(folder, "in"), "r");
  const stdout = openSync(join(folder, "out"), "w");
  const wasi = new WASI({ version: "preview1", args: ["@NAME@"], stdin, stdout, returnOnExit: true });
  const aion = { effect: () => 0, effect_result: () => {} }; // This tool has no effects.
  wasi.start(await WebAssembly.instantiate(module, { ...wasi.getImportObject(), aion }));
  closeSync(stdin);
  closeSync(stdout);
  return JSON.parse(readFileSync(join(folder, "out"), "utf8"));
}

function check(condition, said) {
  if (!condition) throw new Error("unexpected answer: " + JSON.stringify(said));
}

const words = await call({ text: "one two  three" });
check(words.result?.words === 3, words);
const none = await call({ text: " " });
check(none.failure?.code === "BAD_ARGUMENT", none);
console.log("ok");
