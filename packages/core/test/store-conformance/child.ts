import { closeSync, openSync, unlinkSync } from "node:fs";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import type { StateStore } from "../../src/contracts/store.ts";
import { processHolder } from "../../src/store/holder.ts";
import { aRow, AT, aTask, changes } from "./parts.ts";

/** What a child process does with the store, by name; `say` tells the parent. */
const SCENARIOS: Record<string, (store: StateStore, args: readonly string[]) => Promise<void>> = {
  async identity(store) {
    say((await store.identity()).installation);
  },

  async submit(store, [name = "", count]) {
    for (let n = 0; n < Number(count); n++)
      say((await store.tasks.submit(aTask(`${name}-${n}`, { key: `key-${n}` }))).id);
  },

  async claim(store) {
    for (const { id } of await store.tasks.list({ states: ["queued"] })) {
      if (await store.tasks.move(id, ["queued"], "running")) say(id);
    }
  },

  async numbers(store, [count]) {
    for (let n = 0; n < Number(count); n++) say(String(await store.records.nextNumber("uid", 20_000)));
  },

  async events(store, [name, count]) {
    for (let n = 0; n < Number(count); n++) {
      const event = { at: AT, task: null, type: "test:written", payload: `${name} ${n}` };
      await store.events.append(n % 3 === 0 ? [event, { ...event, payload: `${name} ${n}b` }] : [event]);
      await sleep(1);
    }
  },

  /** Holds the lease and a file at the same time: the file, made only if absent, would betray a second holder. */
  async exclude(store, [name = "", witness = "", count]) {
    for (let n = 0; n < Number(count);) {
      const scopes = [
        { scope: "site/s1", mode: "exclusive" as const },
        { scope: "server/v1", mode: "shared" as const },
      ];
      if ("blockedBy" in (await store.leases.acquire(`${name}-${n}`, processHolder(), scopes))) {
        await sleep(1);
        continue;
      }
      closeSync(openSync(witness, "wx"));
      await sleep(1);
      unlinkSync(witness);
      await store.leases.release(`${name}-${n}`);
      n++;
    }
    say("done");
  },

  async hold(store, [task = "", ...scopes]) {
    const result = await store.leases.acquire(
      task,
      processHolder(),
      scopes.map((scope) => ({ scope, mode: "exclusive" as const })),
    );
    say("granted" in result ? "held" : "blocked");
    await sleep(60_000);
  },

  /** Until it is killed: ten rows a transaction, large enough that a kill often falls into one. */
  async journal(store, [task = ""]) {
    for (let n = 0; ; n++) {
      await store.journal.write(Array.from({ length: 10 }, () => aRow(task, { action: n, undo: "x".repeat(200_000) })));
      say(String(n));
    }
  },

  /** Until it is killed: commit rows with a hundred records each. */
  async commit(store) {
    for (let n = 0; ; n++) {
      await store.tasks.submit(aTask(`t${n}`));
      await store.tasks.move(`t${n}`, ["queued"], "running");
      const put = Array.from({ length: 100 }, (_, i) => ({
        kind: "site" as const,
        id: `t${n}-${i}`,
        name: `t${n}-${i}.test`,
        value: "x".repeat(2000),
        expect: 0,
        claims: [],
      }));
      await store.journal.commit(`t${n}`, AT, changes({ put }));
      say(String(n));
    }
  },
};

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

const [module = "", name = "", options = "", scenario = "", ...args] = process.argv.slice(2);
const exports = (await import(module)) as Record<string, (options: unknown) => Promise<StateStore>>;
const store = await exports[name]?.(JSON.parse(options));
if (store === undefined) throw new Error(`${module} has no ${name}`);
// All children begin together, when the parent has seen each of them open the store.
say("ready");
await once(process.stdin, "data");
process.stdin.pause();
await SCENARIOS[scenario]?.(store, args);
await store.close();
