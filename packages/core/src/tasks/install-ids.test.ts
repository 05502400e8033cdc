import { execFileSync } from "node:child_process";
import { beforeEach, expect, onTestFinished, test, vi } from "vitest";
import { FakeInventory } from "../../test/fake-inventory.ts";
import { FakeServer } from "../../test/fake-world.ts";
import { IDS_IN_USE } from "../engine/planning/standing.ts";
import type { SiteRecord } from "../model/records.ts";
import { install } from "./install-site.ts";

let inventory: FakeInventory;
beforeEach(async () => {
  inventory = await FakeInventory.open();
  onTestFinished(async () => inventory[Symbol.asyncDispose]());
});

/** The server says that these numbers are in use when it is asked for them; gives the range that it was asked for. */
function inUse(ids: readonly number[]): readonly string[] {
  const range: string[] = [];
  const { script } = FakeServer.prototype;
  vi.spyOn(FakeServer.prototype, "script").mockImplementation(async function (this: FakeServer, what) {
    const answer = await script.call(this, what);
    const words = (typeof what.stdin === "string" ? what.stdin : "").split("\0");
    const at = words.indexOf(IDS_IN_USE[2]);
    if (at < 0) return answer;
    const all: string[] = [];
    for (let next = 0; next < words.length - 1; next += 1 + Number(words[next])) {
      const isAsked = next < at && at <= next + Number(words[next]);
      if (isAsked) range.push(...words.slice(at + 2, next + 1 + Number(words[next])));
      const said = isAsked ? ids.map((id) => `${id}\n`).join("") : "";
      all.push(["0", said.length, "0", said].join("\0"));
    }
    return { ...answer, stdout: Buffer.from(all.join("")) };
  });
  return range;
}

async function drawn(domain: string): Promise<number | undefined> {
  const plan = await inventory.plan(inventory.plugins, install(domain, { platform: "blog" }));
  return (plan.reserve[0]?.value as SiteRecord | undefined)?.uid;
}

test("where another state folder's sites stand, an install draws a unix id that nobody has there", async () => {
  const range = inUse([20_000, 20_001, 20_003]);
  expect([await drawn("a.example"), await drawn("b.example")]).toEqual([20_002, 20_004]);
  expect(range.slice(0, 2)).toEqual(["20000", "20999"]);
});

test("one is refused where all of them are in use, by its range", async () => {
  inUse(Array.from({ length: 1_000 }, (_, index) => 20_000 + index));
  await expect(drawn("a.example")).rejects.toMatchObject({
    code: "HW_HOST_UNSUPPORTED",
    message: expect.stringContaining("20999") as string,
  });
});

test("what is asked of the server finds those of users and groups, each once", () => {
  const [program, ...args] = IDS_IN_USE;
  expect(execFileSync(program, [...args, "0", "0"], { encoding: "utf8" })).toBe("0\n");
});
