import { expect, test } from "vitest";
import { memoryStore } from "../../test/memory-store/memory-store.ts";
import { Access } from "./access.ts";
import { listRecords, type ListOptions } from "./record-access.ts";

interface Named {
  readonly n: number;
}

test("a list is given in pages in the order of names, of what the actor may see alone", async () => {
  const { records } = memoryStore();
  let reads = 0;
  const counted: typeof records = new Proxy(records, {
    get: (target, name) => {
      if (name !== "list") return Reflect.get(target, name) as unknown;
      return async (...given: Parameters<typeof target.list>) => {
        const page = await target.list(...given);
        reads += page.length;
        return page;
      };
    },
  });
  for (let n = 0; n < 1_000; n++) {
    const name = `site${String(n).padStart(4, "0")}`;
    await records.put({ kind: "site", id: name, name, value: { n } }, { expect: 0, claims: [] });
  }
  const even = new Access({ id: "a" }, { allow: (_actor, _verb, { name }) => Number(name.slice(-1)) % 2 === 0 });
  const list = async (options: ListOptions): Promise<readonly number[]> =>
    (await listRecords<Named>(counted, "site", options, even, ({ n }) => n % 3 === 0)).map(({ n }) => n);
  const wanted = Array.from({ length: 1_000 }, (_, n) => n).filter((n) => n % 6 === 0);
  expect(await list({})).toEqual(wanted);
  reads = 0;
  expect(await list({ limit: 5 })).toEqual([0, 6, 12, 18, 24]);
  expect(await list({ limit: 5, after: "site0024" })).toEqual([30, 36, 42, 48, 54]);
  expect(reads).toBeLessThan(100);
  expect(await list({ after: "site0990" })).toEqual([996]);
  expect(await list({ limit: 3, after: "site0999" })).toEqual([]);
});

test.each([{ limit: 0 }, { limit: 1.5 }, { after: 5 as unknown as string }, { page: 1 } as ListOptions])(
  "a page like %j is refused",
  async (options) => {
    const listing = listRecords(memoryStore().records, "server", options, new Access());
    await expect(listing).rejects.toMatchObject({ code: "HW_INPUT_INVALID" });
  },
);
