import {
  deleteSite,
  verify,
  type Residue,
  type RunOptions,
  type TaskOutcome,
  type TaskRequest,
} from "@hostwright/core";
import { expect } from "vitest";
import type { LivingServer } from "../support/living-server.ts";
import { strayProcesses } from "../support/moments.ts";
import { page } from "../support/page.ts";

export type Kind = "install" | "delete";

export interface Strike extends RunOptions {
  /** Takes away what the test itself did, before all is compared. */
  readonly restore?: () => Promise<unknown>;
}

/** How often tasks under a fault ended in which way. */
export class Tally {
  readonly counts: Record<string, number> = {};

  add(outcome: Pick<TaskOutcome, "state" | "residue">): void {
    const name = outcome.residue.length === 0 ? outcome.state : `${outcome.state} with residue`;
    this.counts[name] = (this.counts[name] ?? 0) + 1;
  }

  print(family: string): void {
    const sum = Object.values(this.counts).reduce((a, b) => a + b, 0);
    const parts = Object.entries(this.counts).map(([name, count]) => `${count} ${name}`);
    process.stdout.write(`faults, ${family}: ${sum} cases: ${parts.join(", ")}\n`);
  }
}

/** Runs one task under a fault, and holds it to what every task owes: whole, or the exact residue. */
export async function judge(
  living: LivingServer,
  kind: Kind,
  domain: string,
  { restore, ...strike }: Strike,
  install: Partial<Parameters<LivingServer["install"]>[1]> = {},
): Promise<TaskOutcome> {
  const { hw } = living;
  if (kind === "delete") await hw.run(living.install(domain));
  const request: TaskRequest = kind === "install" ? living.install(domain, install) : deleteSite(domain);
  await hw.run(request, strike).catch(() => undefined);
  await living.gate.expectWhole();
  await restore?.();
  return settle(living, kind, domain, await hw.task(living.state.lastTask().id).outcome());
}

/** Compares everything with how a task ended, and leaves the host as it was before. */
export async function settle(
  living: LivingServer,
  kind: Kind,
  domain: string,
  outcome: TaskOutcome,
  { resumed = false }: { readonly resumed?: boolean } = {},
): Promise<TaskOutcome> {
  const { hw } = living;
  const told = JSON.stringify({ error: outcome.error, residue: outcome.residue });
  if (outcome.state === "needs-attention") await expectExactly(living, outcome.residue, told);
  else if (outcome.state === "undone") expect(outcome.residue, told).toEqual([]);
  const stands = (outcome.state === "succeeded") === (kind === "install") && outcome.state !== "needs-attention";
  if (stands) {
    expect((await page(living.host, domain, "/")).status, told).toBe(200);
    expect((await hw.plan(verify(domain))).actions, told).toEqual([]);
    await hw.run(deleteSite(domain));
  } else if (outcome.state === "succeeded" && outcome.residue.length > 0) {
    // What a delete left behind is picked up by the next verify of the server.
    await hw.run(verify("web1"));
  }
  expect(await strayProcesses(living.host), told).toEqual([]);
  // A resolved task was gone on with as well; and that a fence was dropped need not survive a loss of power.
  if (resumed || living.restarts || outcome.state === "needs-attention") await dropFences(living);
  await living.expectUnharmed();
  return outcome;
}

/** What differs is listed, and goes once what was in its way is gone. */
async function expectExactly(living: LivingServer, residue: readonly Residue[], told: string): Promise<void> {
  expect(residue.length).toBeGreaterThan(0);
  process.stdout.write(`faults, needs attention: ${told.slice(0, 1000)}\n`);
  const differing = (await living.differences())
    .split("\n")
    // It keeps its lease, and with it its fence.
    .filter((line) => line !== "" && !line.startsWith(" ") && !line.includes("/fence/site-"));
  const unlisted = differing.filter((line) => !residue.some((item) => covers(item, line)));
  expect(unlisted, told).toEqual([]);
  const { id } = living.state.lastTask();
  await living.hw.task(id).resolve("retry");
  expect(await living.hw.task(id).outcome()).toMatchObject({ state: "undone", residue: [] });
}

const ACCOUNTS = / \/etc\/(?:passwd|group|shadow|gshadow) /;

/** A command's residue is what it wrote: files of its site. A user stands in four shared files as well. */
function covers({ type, key }: Residue, line: string): boolean {
  if (type === "run")
    return / \/srv\/sites\/\w+\/(?:public|private|tmp)\//.test(line) || line.includes("mariadb-table");
  if (type === "unix-user" && ACCOUNTS.test(line)) return true;
  return line.includes(key.replaceAll(/['"`]/g, ""));
}

/** A task that another worker went on with leaves its fence, which keeps a late one out of a site that is no more. */
async function dropFences(living: LivingServer): Promise<void> {
  const known = (await living.hw.sites.list()).map(({ id }) => id);
  await living.host.sh(`cd /var/lib/hostwright/fence
    for file in site-*; do
      id=\${file#site-}
      case " ${known.join(" ")} " in *" \${id%.lock} "*) ;; *) rm -f "$file" ;; esac
    done`);
}
