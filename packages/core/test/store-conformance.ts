import { describe } from "vitest";
import { crashPromises } from "./store-conformance/crashes.ts";
import { epochPromises } from "./store-conformance/epoch.ts";
import { eventPromises } from "./store-conformance/events.ts";
import type { Lacking, OpenHarness } from "./store-conformance/harness.ts";
import { servedNamesPromises } from "./store-conformance/held.ts";
import { journalPromises } from "./store-conformance/journal.ts";
import { leaseSequencePromises } from "./store-conformance/lease-sequences.ts";
import { leasePromises } from "./store-conformance/leases.ts";
import { planPromises } from "./store-conformance/plans.ts";
import { processPromises } from "./store-conformance/processes.ts";
import { recordPromises } from "./store-conformance/records.ts";
import { registerPromises } from "./store-conformance/register.ts";
import { secretPromises } from "./store-conformance/secrets.ts";
import { taskPromises } from "./store-conformance/tasks.ts";

/** All that `StateStore` promises inside one process, for any store: `open` gives a new empty one each time. */
export function storeConformance(name: string, open: OpenHarness): void {
  describe(`${name} as a StateStore`, () => {
    recordPromises(open);
    registerPromises(open);
    taskPromises(open);
    journalPromises(open);
    servedNamesPromises(open);
    eventPromises(open);
    epochPromises(open);
    secretPromises(open);
    planPromises(open);
    leasePromises(open);
    leaseSequencePromises(open);
  });
}

/** What it promises to several processes, and to those that come after one that was killed. */
export function storeProcesses(name: string, open: OpenHarness, lacking: Lacking = {}): void {
  describe(`${name} as a StateStore of processes`, () => {
    processPromises(open, lacking);
    crashPromises(open, lacking);
  });
}
