import { beforeEach, expect, onTestFinished, test, vi } from "vitest";
import { aRow, running } from "../../../test/store-conformance/parts.ts";
import { FakeWorker } from "../../../test/fake-worker.ts";
import { undoContext } from "../actions/journal.ts";
import { checkState } from "./check-state.ts";

let fake: FakeWorker;
beforeEach(async () => {
  fake = await FakeWorker.open();
  onTestFinished(async () => fake[Symbol.asyncDispose]());
});

const put = async (kind: "server" | "platform" | "site", id: string, value: object): Promise<void> => {
  const { records } = fake.engine.store;
  await records.put(
    { kind, id, name: `${id}.test`, value: { id, name: id, domain: id, ...value } },
    { expect: 0, claims: [] },
  );
};
const problems = async (): Promise<readonly string[]> =>
  (await checkState(fake.parts)).map(({ code, what }) => `${code}: ${what}`);

test("a state that is whole has no problems", async () => {
  await put("platform", "r1", { server: "web1" });
  await put("site", "s1", { status: "installed", platform: "r1", database: { server: "web1", service: "db" } });
  await put("site", "s2", { status: "draft", platform: "gone", database: null });
  await fake.parts.vault.put("site/s1/db-password", "hush");
  expect(await problems()).toEqual([]);
});

test("each secret and prior state that no key opens is named", async () => {
  const { store } = fake.engine;
  const { box } = fake.parts;
  for (let n = 0; n < 450; n++) await store.secrets.add(`site/s${n}/x`, box.seal("a", `site/s${n}/x`));
  await store.secrets.replace("site/s7/x", box.seal("a", "site/s8/x"));
  await store.secrets.replace("site/s99/x", "hw1.other.AAAA");
  await running(store, "t1");
  await store.journal.write([
    aRow("t1", { action: 0, undo: box.seal("{}", undoContext({ task: "t1", action: 0 })) }),
    aRow("t1", { action: 1, undo: box.seal("{}", undoContext({ task: "t1", action: 0 })) }),
  ]);
  expect(await problems()).toEqual([
    "HW_SECRET_UNREADABLE: the secret site/s7/x cannot be opened",
    "HW_SECRET_UNREADABLE: the secret site/s99/x cannot be opened",
    "HW_SECRET_UNREADABLE: 1 prior states of task t1 cannot be opened",
  ]);
});

test("a record that names what is not there is told, with whom it names", async () => {
  await put("server", "v2", { connect: { type: "ssh" } });
  await put("platform", "r1", { server: "v9" });
  await put("site", "s1", { status: "installed", platform: "r9", database: { server: "v8", service: "db" } });
  expect(await problems()).toEqual([
    "HW_SECRET_UNREADABLE: the login key of server v2 is not there",
    "HW_NOT_FOUND: the platform r1 names the server v9, which is not there",
    "HW_NOT_FOUND: the site s1 names the platform r9, which is not there",
    "HW_NOT_FOUND: the site s1 names the server v8, which is not there",
  ]);
});

test("a damaged file is told", async () => {
  vi.spyOn(fake.engine.store, "integrity").mockResolvedValue(["store.db: row 3 missing from index"]);
  expect(await problems()).toEqual(["HW_STORE_INCOMPATIBLE: store.db: row 3 missing from index"]);
});
