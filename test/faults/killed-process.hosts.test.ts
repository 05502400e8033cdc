import { setTimeout as delay } from "node:timers/promises";
import { deleteSite } from "@hostwright/core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { LivingServer } from "../support/living-server.ts";
import { FaultyLink, type Moment } from "./faulty-link.ts";
import { judge, Tally, type Kind } from "./judge.ts";
import { FULL } from "./scope.ts";

const DOMAIN = "killed.example.com";
/** The fence gives an earlier script 10 s: it ends by itself in that time, or is ended. */
const [WITHIN, BEYOND] = [1.5, 30] as const;
/** In what goes on of a script that was struck. */
const MARK = "orphan-of-the-test";

let link: FaultyLink;
let living: LivingServer;
const tally = new Tally();
const changes: Record<Kind, Moment[]> = { install: [], delete: [] };

beforeAll(async () => {
  link = new FaultyLink();
  living = await LivingServer.start({ gate: link });
  for (const kind of ["install", "delete"] as const) {
    link.seen.length = 0;
    await living.hw.run(kind === "install" ? living.install(DOMAIN) : deleteSite(DOMAIN), { onEvent: link.follow });
    changes[kind] = link.seen.splice(0);
  }
  await living.remember();
});

afterAll(async () => {
  tally.print("a killed process of a command");
  await living?.[Symbol.asyncDispose]();
  await link?.[Symbol.asyncDispose]();
});

/** One process of a change is killed on the server, and its work goes on without it, some seconds later. */
const KILLS = {
  "the fence's own": (script: string, late: number) =>
    `: ${MARK}; kill -9 $PPID; exec >/dev/null 2>&1; sleep ${late}\n${script}`,
  "the script's": (script: string, late: number) =>
    `exec 3<&0; { : ${MARK}; exec >/dev/null 2>&1; sleep ${late}\n${script}\n} <&3 & sleep 0.1; kill -9 $$`,
  "the connection's": (script: string, late: number) =>
    `: ${MARK}; kill -9 "$(read -r line < /proc/$PPID/stat; set -- \${line##*) }; echo "$2")"; exec >/dev/null 2>&1; sleep ${late}\n${script}`,
} as const;
type Killed = keyof typeof KILLS;

async function killAt(kind: Kind, { title, change }: Moment, killed: Killed, late: number): Promise<void> {
  let struck = false;
  link.alter = (moment, script) => {
    if (struck || moment.title !== title || moment.change !== change) return script;
    struck = true;
    return KILLS[killed](script, late);
  };
  try {
    const outcome = await judge(living, kind, DOMAIN, {
      onEvent: (event) => struck || link.follow(event),
      restore: async () => {
        expect(await living.host.sh(`pgrep -af '${MARK.replace("o", "[o]")}' || true`)).toBe("");
        // What came too late is there by now.
        if (late === WITHIN) await delay(late * 1000);
      },
    });
    tally.add(outcome);
    expect(outcome.residue).toEqual([]);
  } finally {
    link.alter = (_moment, script) => script;
  }
  expect(struck).toBe(true);
}

/** The last change of the action so many places from the end. */
function lastOf(kind: Kind, action: number): Moment {
  const all = changes[kind];
  const last = all.filter((moment) => all.findLast(({ title }) => title === moment.title) === moment).at(action);
  if (last === undefined) throw new Error(`a task ${kind} has too few actions`);
  return last;
}

const FEW: Readonly<Record<Killed, readonly (readonly [Kind, number])[]>> = {
  "the fence's own": [
    ["install", 1],
    ["delete", 0],
  ],
  "the script's": [["install", 1]],
  "the connection's": [["install", 2]],
};

describe("on the server, one process of a change is killed and the others go on", () => {
  test.each(Object.keys(KILLS) as Killed[])(
    "%s: nothing else begins before they have ended, and the site is whole or was never touched",
    async (killed) => {
      const few = FEW[killed].map(([kind, action]) => [kind, lastOf(kind, action)] as const);
      const every = (["install", "delete"] as const).flatMap((kind) =>
        changes[kind].map((one) => [kind, one] as const),
      );
      for (const [kind, moment] of FULL ? every : few) {
        process.stdout.write(`  ${kind}: ${moment.title}, change ${moment.change}: ${killed}\n`);
        await killAt(kind, moment, killed, WITHIN);
      }
    },
    1_800_000,
  );

  // In the short form `fence.programs.test.ts` stands for it.
  test.each(FULL ? (Object.keys(KILLS) as Killed[]) : [])(
    "%s, and they do not come to an end: they are ended before anything else begins",
    async (killed) => killAt("install", lastOf("install", 1), killed, BEYOND),
  );
});
