import { beforeEach, expect, test } from "vitest";
import { CountedTables } from "../../../test/counted-tables.ts";
import { MemoryKernel } from "../../../test/memory-store/memory-kernel.ts";
import { ME } from "../../../test/store-conformance/holders.ts";
import { aRow, aTask, running } from "../../../test/store-conformance/parts.ts";
import type { StateStore } from "../../contracts/store.ts";
import { stateStore } from "../state-store.ts";

const MANY = 300;

let store: StateStore;
let tables: CountedTables;
beforeEach(async () => {
  const kernel = new MemoryKernel();
  tables = new CountedTables(kernel.tables);
  store = stateStore({
    reach: "machine",
    tables,
    events: kernel.events,
    integrity: async () => [],
    scrub: async () => true,
    close: async () => undefined,
  });
  const bindings = { http: { service: "nginx" }, db: { server: "v2", service: "mysql" } };
  for (let n = 0; n < MANY; n++) {
    const value = { status: "installed", platform: `p${n % 3}`, bindings };
    await store.records.put({ kind: "site", id: `s${n}`, name: `s${n}.test`, value }, { expect: 0, claims: [] });
    const file = { server: "v1", type: "file", owner: `site/s${n}`, shared: false, hash: null };
    await store.register.put([1, 2].map((key) => ({ ...file, key: `/${n}/${key}` })));
    const scope = { scope: "site/s1", mode: "exclusive" } as const;
    await store.tasks.submit(aTask(`t${n}`, { about: `s${n}.test` }), { subject: "site/s1", scopes: [scope] });
  }
  await running(store, "t");
});

async function read(work: () => Promise<unknown>): Promise<Readonly<Record<string, number>>> {
  tables.rowsRead.clear();
  await work();
  return Object.fromEntries([...tables.rowsRead].filter(([, count]) => count > 0));
}

test("a call of the store reads what it is about, however much there is beside it", async () => {
  const { records, register, tasks, leases, journal, secrets } = store;
  const query = { by: "server", ids: ["v2"], status: ["installed"] } as const;
  expect(await read(async () => records.get("site", "s7.test"))).toEqual({ claims: 1, records: 1 });
  expect(await read(async () => records.different("site", "platform", query))).toEqual({ uses: 3 });
  expect(await read(async () => records.list("site", { limit: 5 }))).toEqual({ records: 5 });
  expect(await read(async () => register.about("v1", ["site/s7"], []))).toEqual({ register: 4 });
  expect(await read(async () => register.servers())).toEqual({ register: 1 });
  expect(await read(async () => secrets.get(["site/s1/x"]))).toEqual({});
  // The first few in line.
  expect(await read(async () => leases.next(new Set()))).toEqual({ tasks: 16 });
  // The tasks of one site, of which the first is in the way of all others: as few again as are needed.
  const blocked = new Set(Array.from({ length: 20 }, (_, n) => `t${n}`));
  expect(await read(async () => leases.next(blocked))).toEqual({ tasks: 16 + 128 });
  expect(await read(async () => tasks.position("t299"))).toEqual({ tasks: 1 });
  expect(await read(async () => tasks.unfinished())).toEqual({ tasks: 1 });
  expect(await read(async () => tasks.list({ states: ["queued"], newest: true, limit: 4 }))).toEqual({ tasks: 4 });
  expect(await read(async () => tasks.list({ about: ["s7.test"], newest: true }))).toEqual({ tasks: 1 });
  const claimed = await read(async () => leases.claim("t0", ME));
  expect(Math.max(...Object.values(claimed))).toBeLessThan(9);
  const held = store.held("t0", ME);
  const file = { server: "v1", type: "file", key: "/7/new", owner: "site/s7", shared: false, hash: null };
  const written = async () => held.journal.write([aRow("t0")], { put: [file], remove: [] });
  expect(await read(written)).toEqual({ leases: 1, counters: 1 });
  expect(await read(async () => journal.isCommitted("t0"))).toEqual({});
  expect(await read(async () => tasks.submit(aTask("last")))).toEqual({ tasks: 1, counters: 1 });
  expect(await read(async () => records.forget("site", "s7", 1).catch(() => undefined))).toEqual({
    records: 1,
    register: 2,
  });
});
