import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { deleteSite, type Listener } from "@hostwright/core";
import { SEED } from "@hostwright/testing";
import { LivingServer } from "../support/living-server.ts";
import { FaultyLink, type Moment } from "./faulty-link.ts";
import { judge, Tally, type Kind } from "./judge.ts";
import { FULL } from "./scope.ts";

const DOMAIN = "cut.example.com";

/** What a network does to a change that has begun on the server. */
const FAULTS = ["answers lost", "cut", "killed with it", "lost after its answer"] as const;
type Fault = (typeof FAULTS)[number];

let link: FaultyLink;
let living: LivingServer;
const tally = new Tally();
const changes: Record<Kind, Moment[]> = { install: [], delete: [] };

beforeAll(async () => {
  process.stdout.write(`a connection lost: HOSTWRIGHT_TEST_SEED=${SEED}\n`);
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
  tally.print("the network");
  await living?.[Symbol.asyncDispose]();
  await link?.[Symbol.asyncDispose]();
});

/** All of a session's processes, as sshd's own end takes them when they hold nothing else. */
const KILL = `
for session in $(pgrep -f '^sshd-session: root'); do
  kill -STOP $session 2>/dev/null
  list=$session; more=$session
  while more=$(pgrep -P "$(echo $more | tr ' ' ,)"); do list="$list $more"; done
  kill -9 $list 2>/dev/null
done; true`;

function strike(fault: Fault): void {
  if (fault === "answers lost") {
    link.silence("answers");
    setTimeout(() => link.cut(), 500);
  } else if (fault === "killed with it") {
    link.silence("answers");
    void living.host.sh(KILL).finally(() => link.cut());
  } else {
    link.cut();
  }
}

async function cutAt(kind: Kind, { title, change }: Moment, fault: Fault): Promise<void> {
  let struck = false;
  link.onChange = (moment, when) => {
    const now = when === (fault === "lost after its answer" ? "answered" : "runs");
    if (struck || !now || moment.title !== title || moment.change !== change) return;
    struck = true;
    strike(fault);
  };
  const onEvent: Listener = link.follow;
  try {
    const outcome = await judge(living, kind, DOMAIN, { onEvent: (event) => struck || onEvent(event) });
    tally.add(outcome);
    expect(outcome.residue).toEqual([]);
  } finally {
    link.onChange = () => undefined;
  }
  expect(struck).toBe(true);
}

/** In the short form the last changes of two actions, each under one fault, all drawn; else every change under every fault. */
function faultsOf(kind: Kind, moment: Moment): readonly Fault[] {
  if (FULL) return FAULTS;
  const all = changes[kind];
  const lasts = all.filter((one) => all.findLast(({ title }) => title === one.title) === one);
  const place = lasts.indexOf(moment);
  const drawn = [SEED, SEED + Math.ceil(lasts.length / 2)].map((number) => number % lasts.length);
  return drawn.includes(place) ? [FAULTS[(SEED + place) % FAULTS.length] ?? "cut"] : [];
}

describe("a connection lost in the middle of each action", () => {
  test.each(["install", "delete"] as const)(
    "of %s: the site is whole or was never touched",
    async (kind) => {
      expect(changes[kind].length).toBeGreaterThan(3);
      for (const moment of changes[kind]) {
        for (const fault of faultsOf(kind, moment)) {
          process.stdout.write(`  ${kind}: ${moment.title}, change ${moment.change}: ${fault}\n`);
          await cutAt(kind, moment, fault);
        }
      }
    },
    1_800_000,
  );

  test("before a command arrives: it never runs", async () => {
    const [moment] = changes.install.slice(-1);
    if (moment === undefined) throw new Error("an install changes nothing");
    let lost = false;
    const onEvent: Listener = (event) => {
      link.follow(event);
      if (lost || event.type !== "action:started" || event.payload.title !== moment.title) return;
      lost = true;
      link.silence("commands");
      setTimeout(() => link.cut(), 300);
    };
    tally.add(await judge(living, "install", DOMAIN, { onEvent }));
    expect(lost).toBe(true);
  });
});
