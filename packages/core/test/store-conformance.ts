import { describe } from "vitest";
import { crashPromises } from "./store-conformance/crashes.ts";
import { eventPromises } from "./store-conformance/events.ts";
import type { OpenHarness } from "./store-conformance/harness.ts";
import { journalPromises } from "./store-conformance/journal.ts";
import { leaseSequencePromises } from "./store-conformance/lease-sequences.ts";
import { leasePromises } from "./store-conformance/leases.ts";
import { processPromises } from "./store-conformance/processes.ts";
import { recordPromises } from "./store-conformance/records.ts";
import { registerPromises } from "./store-conformance/register.ts";
import { secretPromises } from "./store-conformance/secrets.ts";
import { taskPromises } from "./store-conformance/tasks.ts";

/** All that `StateStore` promises, for any store: `open` gives a new empty one each time. */
export function storeConformance(name: string, open: OpenHarness): void {
  describe(`${name} as a StateStore`, () => {
    recordPromises(open);
    registerPromises(open);
    taskPromises(open);
    journalPromises(open);
    eventPromises(open);
    secretPromises(open);
    leasePromises(open);
    leaseSequencePromises(open);
    processPromises(open);
    crashPromises(open);
  });
}
