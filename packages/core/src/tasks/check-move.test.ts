import { expect, test } from "vitest";
import { testTarget } from "../../test/test-target.ts";
import type { Guard } from "../contracts/guard.ts";
import type { Problem } from "../contracts/problem.ts";
import type { Planning } from "../contracts/planning.ts";
import { checkMove } from "./check-move.ts";
import type { SiteParts } from "./site-parts.ts";

const CONTENTS = "bytes\t1000000\nneeds\tengine A\nneeds\tlocale x y\n";
const OFFERS = "folder\t/var/lib/db\nlog\t300000\nhas\tlocale x y\nhas\tengine A\nhas\tengine B\n";
const SPARE = 64 * 1024 * 1024;

interface Told {
  readonly contents?: string;
  readonly offers?: string;
  readonly exitCode?: number;
  readonly problems?: readonly Problem[];
}

/** A move from `old` to `new`, whose servers tell that; and which of them was asked what. */
async function check({ contents = CONTENTS, offers = OFFERS, exitCode = 0, problems = [] }: Told = {}): Promise<{
  readonly guards: readonly Guard[];
  readonly asked: readonly string[];
}> {
  const asked: string[] = [];
  const target = async ({ name }: { name: string }): Promise<unknown> => ({
    ...testTarget(),
    server: {
      run: async ({ argv }: { argv: readonly string[] }) => {
        asked.push(`${name}: ${argv.join(" ")}`);
        const stdout = Buffer.from(argv[0] === "contents" ? contents : offers);
        return Promise.resolve({ exitCode, stdout, stderr: "it went wrong" });
      },
    },
  });
  const moving = {
    contents: (name: string) => ["contents", name],
    offers: () => ["offers"],
    problems: (from: unknown, to: unknown) => (from === "old view" && to === "new view" ? problems : []),
  };
  const parts = (name: string): SiteParts =>
    ({
      site: { domain: "a.example.com" },
      heads: [{ view: { bindings: { db: { name: "s1" } } } }],
      backing: new Map([["db", { service: { server: { name }, role: { moving } }, view: `${name} view` }]]),
    }) as unknown as SiteParts;
  const context = { target } as unknown as Planning;
  return { guards: await checkMove(context, parts("old"), parts("new")), asked };
}

test("one round trip to each server tells whether the database can go there, and the room that it takes", async () => {
  const { guards, asked } = await check();
  expect(asked).toEqual(["old: contents s1", "new: offers"]);
  expect(guards).toEqual([{ kind: "free-space", path: "/var/lib/db", bytes: 1_100_000 + 300_000 + SPARE }]);
});

test("a log that keeps everything takes as much again, and none takes nothing", async () => {
  const room = async (log: string): Promise<number | undefined> =>
    (await check({ offers: OFFERS.replace("300000", log) })).guards[0]?.bytes;
  expect(await room("9007199254740991")).toBe(2_100_000 + SPARE);
  expect(await room("0")).toBe(1_100_000 + SPARE);
});

test("all that the other server lacks, and what its plugin says against it, is told at once", async () => {
  const offers = "folder\t/var/lib/db\nlog\t0\nhas\tengine AA\n";
  const problems = [{ message: "it is older", remedy: "Upgrade it." }];
  await expect(check({ offers, problems })).rejects.toMatchObject({
    code: "HW_PREREQUISITE_MISSING",
    server: "new",
    message:
      "new: it is older. new: it lacks engine A, which the database of a.example.com uses. new: it lacks locale x y, which the database of a.example.com uses. Nothing was changed.",
    remedy:
      "Upgrade it. Provide engine A on new, or choose another server. Provide locale x y on new, or choose another server.",
  });
});

test.each<Told>([{ exitCode: 1 }, { contents: "needs\tengine A\n" }, { contents: "bytes\tmany\n" }, { offers: "" }])(
  "a server that does not tell is no server to move from or to: %j",
  async (told) => {
    await expect(check(told)).rejects.toMatchObject({
      code: "HW_DATABASE_FAILED",
      output: "it went wrong",
      message: expect.stringContaining("Nothing was changed."),
    });
  },
);
