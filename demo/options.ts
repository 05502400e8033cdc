import { parseArgs } from "node:util";
import { CHOICES, pairs } from "./choices.ts";

export interface DemoOptions {
  readonly http: keyof typeof CHOICES.http;
  readonly db: keyof typeof CHOICES.db;
  readonly platform: keyof typeof CHOICES.platform;
  /** Leave hosts and state as they are at the end. */
  readonly keep: boolean;
  /** End with one line of JSON. */
  readonly json: boolean;
}

const names = (choices: object): string => Object.keys(choices).join("|");

const USAGE = `usage: npm run demo -- ${Object.entries(CHOICES)
  .map(([name, choices]) => `[--${name} ${names(choices)}]`)
  .join(" ")} [--keep] [--json]`;

function oneOf<T extends object>(what: string, choices: T, name: string): keyof T {
  if (Object.hasOwn(choices, name)) return name as keyof T;
  throw new Error(`no ${what} "${name}"; ${USAGE}`);
}

/** @throws Error for what there is not, and for a platform that does not go with the database. */
export function parseOptions(argv: readonly string[]): DemoOptions {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      http: { type: "string", default: "nginx" },
      db: { type: "string" },
      platform: { type: "string", default: "wordpress" },
      keep: { type: "boolean", default: false },
      json: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) throw new Error(USAGE);
  const platform = oneOf("platform", CHOICES.platform, values.platform);
  const fitting = pairs().filter((pair) => pair.platform === platform);
  const db = oneOf("db", CHOICES.db, values.db ?? fitting[0]?.db ?? "");
  if (!fitting.some((pair) => pair.db === db)) {
    const those = pairs().map((pair) => `  --db ${pair.db} --platform ${pair.platform}`);
    throw new Error(`${platform} does not run on ${db}. These pairs go:\n${those.join("\n")}`);
  }
  return { http: oneOf("http", CHOICES.http, values.http), db, platform, keep: values.keep, json: values.json };
}
