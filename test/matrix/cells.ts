import { basename } from "node:path";
import { CHOICES, pairs } from "../../demo/choices.ts";
import { drupalApp, drupalCodebases, mediawikiApp, wordpressApp, type App } from "../support/apps.ts";
import { oneOf } from "../support/drawn.ts";
import type { Pair } from "../support/pair.ts";

/** One web server, one database server and one codebase that go together. */
export interface Cell extends Pair {
  readonly name: string;
  /** Null where its codebase is not on this machine. */
  readonly app: (() => Promise<App>) | null;
}

interface Code {
  readonly name: string;
  readonly app: Cell["app"];
}

const CODES: Readonly<Record<keyof typeof CHOICES.platform, readonly Code[]>> = {
  wordpress: [{ name: "wordpress", app: async () => wordpressApp("6.8") }],
  mediawiki: [{ name: "mediawiki", app: mediawikiApp }],
  drupal:
    drupalCodebases.length === 0
      ? [{ name: "drupal", app: null }]
      : drupalCodebases.map((folder) => {
          const name = `drupal-${basename(folder)}`;
          return { name, app: async () => drupalApp(folder, name) };
        }),
};

const ALL: readonly Cell[] = (Object.keys(CHOICES.http) as Pair["http"][]).flatMap((http) =>
  pairs().flatMap(({ db, platform }) =>
    CODES[platform].map(({ name, app }): Cell => ({ http, db, app, name: `${http} + ${db} + ${name}` })),
  ),
);

/** Between them they have both web servers and both database servers; of `sites.hosts.test.ts` is much of the first. */
const SHORT = ["nginx + mysql + wordpress", "apache + postgres + mediawiki"];

/** `npm run test:matrix` sets it to `full` or to a part of the cells' names, `npm run test:full` tries all; else one cell is, which is drawn. */
const wanted = process.env["HOSTWRIGHT_MATRIX"] ?? (process.env["HOSTWRIGHT_TEST_FULL"] === "1" ? "full" : "");

const drawn = wanted === "" ? oneOf(SHORT) : [];

/** Cells of platforms without a database have files of their own; all of them are tried where no cell is named. */
export function isTried(name: string): boolean {
  return wanted === "" || wanted === "full" || name.includes(wanted);
}

export const cells: readonly Cell[] = ALL.filter(({ name }) =>
  wanted === "" ? drawn.includes(name) : wanted === "full" || name.includes(wanted),
);
