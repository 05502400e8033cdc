import { parseArgs } from "node:util";

export interface DemoOptions {
  readonly platform: "wordpress" | "drupal";
  /** Leave hosts and state as they are at the end. */
  readonly keep: boolean;
  /** End with one line of JSON. */
  readonly json: boolean;
}

const USAGE = "usage: npm run demo -- [--platform wordpress|drupal] [--keep] [--json]";

export function parseOptions(argv: readonly string[]): DemoOptions {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      platform: { type: "string", default: "wordpress" },
      keep: { type: "boolean", default: false },
      json: { type: "boolean", default: false },
    },
  });
  const { platform } = values;
  if (platform !== "wordpress" && platform !== "drupal") throw new Error(`no platform "${platform}"; ${USAGE}`);
  return { platform, keep: values.keep, json: values.json };
}
