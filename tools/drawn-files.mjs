import { createHash } from "node:crypto";

/**
 * Of the files on hosts in each row `npm test` takes so many, drawn anew each time: faults, conformance to one role, and
 * long ones that drive the engine through the same parts.
 */
export const DRAWN = [
  { take: 2, of: ["killed-process", "network", "restart", "restored-store", "services", "stopped-worker"].map(faults) },
  { take: 1, of: ["service-nginx", "service-apache"].map(conformance) },
  { take: 1, of: ["service-mysql", "service-postgres"].map(conformance) },
  { take: 1, of: ["service-node", "service-php-fpm"].map(conformance) },
  { take: 1, of: ["platform-node", "platform-static"].map(conformance) },
  { take: 1, of: ["mutants", "resources"].map((name) => `packages/testing/test/${name}.hosts.test.ts`) },
  { take: 1, of: ["soak", "postgres-store"].map(whole) },
  { take: 1, of: ["move-database", "concurrency"].map(whole) },
  { take: 1, of: ["refusals", "failures"].map(whole) },
  { take: 1, of: ["switch-http", "two-servers"].map(whole) },
  { take: 1, of: ["kills", "crash"].map(whole) },
  { take: 2, of: ["panel", "versions", "outside"].map(whole) },
  { take: 1, of: ["matrix/static", "matrix/node"].map(whole) },
  { take: 2, of: ["leftovers", "one-bad-record", "second-state", "secrets"].map(whole) },
];

function faults(name) {
  return whole(`faults/${name}`);
}

function whole(name) {
  return `test/${name}.hosts.test.ts`;
}

function conformance(plugin) {
  return `packages/${plugin}/test/conformance.test.ts`;
}

/** The others. From one that is drawn on, in a circle: each is as likely as the others of its row. */
export function notDrawn(seed) {
  return DRAWN.flatMap(({ take, of }, row) => {
    const from = createHash("sha256").update(`${seed}/${row}`).digest().readUInt32BE() % of.length;
    return [...of.slice(from), ...of.slice(0, from)].slice(take);
  });
}
