import { Worker } from "node:worker_threads";
import { isDamage, storeError } from "./sqlite-error.ts";

/** `quick`: every page is read, and what it holds is well-formed; `whole`: and each index has what its table has. */
export type Thoroughness = "quick" | "whole";

type Answer = { readonly said: readonly string[] } | { readonly message: string; readonly errcode: number | undefined };

const MOST_FINDINGS = 20;

// Its connection can only read, so that a damaged file and its log stay as they are. Plain JavaScript of its own: what
// node would load from a file is TypeScript in one place and compiled in another. Trees are read in no order of the file: one
// that is not in memory takes ten times as long (100,000 sites: 31 s, not 3). So it is read from end to end before, by another
// process, since this one would lose its locks with the descriptor.
const THREAD = `
const { parentPort, workerData } = require("node:worker_threads");
const { DatabaseSync } = require("node:sqlite");
const { spawnSync } = require("node:child_process");
spawnSync("cat", ["--", workerData.path], { stdio: "ignore" });
let db;
try {
  db = new DatabaseSync(workerData.path, { readOnly: true, timeout: 5000 });
  const said = workerData.queries.flatMap((sql) => db.prepare(sql).all().map((row) => Object.values(row)[0]));
  parentPort.postMessage({ said: [...new Set(said)] });
} catch ({ message, errcode }) {
  parentPort.postMessage({ message, errcode });
} finally {
  db?.close();
}`;

/**
 * What SQLite finds damaged in a database file, in words; none when it is whole. In a thread, since all of it is read: this
 * process goes on meanwhile. Nothing is written. `further` are queries whose rows say what else is wrong. @throws HW_STORE_BUSY, HW_STORE_FAILED, HW_PERMISSION_DENIED
 */
export async function inspect(
  path: string,
  how: Thoroughness,
  further: readonly string[] = [],
): Promise<readonly string[]> {
  const pragma = `PRAGMA ${how === "quick" ? "quick_check" : "integrity_check"}(${MOST_FINDINGS})`;
  const thread = new Worker(THREAD, {
    eval: true,
    workerData: { path, queries: [pragma, ...further.map((sql) => `${sql} LIMIT ${MOST_FINDINGS}`)] },
    execArgv: [],
  });
  try {
    const { promise, resolve, reject } = Promise.withResolvers<Answer>();
    thread.once("message", resolve);
    thread.once("error", reject);
    thread.once("exit", () => reject(new Error(`${path}: the look at it was ended.`)));
    const answer = await promise;
    if ("said" in answer) return answer.said.filter((text) => text !== "ok");
    const error = Object.assign(new Error(answer.message), { errcode: answer.errcode });
    if (isDamage(error)) return [answer.message];
    throw storeError(error, path);
  } finally {
    await thread.terminate();
  }
}
