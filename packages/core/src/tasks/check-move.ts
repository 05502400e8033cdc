import { tabbedValues } from "../plugin-kit/database-service.ts";
import type { Guard } from "../contracts/guard.ts";
import type { Planning } from "../contracts/planning.ts";
import { HostwrightError } from "../errors/hostwright-error.ts";
import type { ServerRecord } from "../model/records.ts";
import { refuse } from "./prerequisites.ts";
import { databaseOf, type SiteParts } from "./site-parts.ts";

type Values = ReturnType<typeof tabbedValues>;

/** File systems lay out things differently; and a database server whose disk is full serves nobody. */
const MARGIN = 1.1;
const SPARE_BYTES = 64 * 1024 * 1024;

const BYTES = /^\d+$/;

/**
 * Asks both servers, in one round trip each and at once, whether a site's database can go from the one to the other, and
 * gives what must hold on the other one before anything is made there.
 * @throws HW_PREREQUISITE_MISSING naming all that the other one lacks; HW_DATABASE_FAILED where one does not tell
 */
export async function checkMove(context: Planning, old: SiteParts, moved: SiteParts): Promise<readonly Guard[]> {
  const [from, to] = [databaseOf(old), databaseOf(moved)];
  const moving = from?.service.role.moving;
  const name = old.heads[0].view.bindings.db?.name;
  if (moving === undefined || name === undefined || from === null || to === null) return [];
  const server = to.service.server.name;
  const [contents, offers] = await Promise.all([
    ask(context, from.service.server, moving.contents(name, from.view), { bytes: BYTES }),
    ask(context, to.service.server, moving.offers(to.view), { folder: /^\//, log: BYTES }),
  ]);
  const has = new Set(offers("has"));
  const lacking = contents("needs").filter((need) => !has.has(need));
  const problems = [
    ...moving.problems(from.view, to.view),
    ...lacking.map((need) => ({
      message: `it lacks ${need}, which the database of ${old.site.domain} uses`,
      remedy: `Provide ${need} on ${server}, or choose another server.`,
    })),
  ];
  refuse(problems.map((problem) => ({ server, ...problem })));
  const bytes = Number(contents("bytes")[0]);
  const room = bytes * MARGIN + Math.min(bytes, Number(offers("log")[0])) + SPARE_BYTES;
  return [{ kind: "free-space", path: offers("folder")[0] ?? "/", bytes: Math.ceil(room) }];
}

async function ask(
  context: Planning,
  record: ServerRecord,
  argv: readonly string[],
  must: Readonly<Record<string, RegExp>>,
): Promise<Values> {
  const { server, signal } = await context.target(record);
  const { exitCode, stdout, stderr } = await server.run({ argv, signal });
  const values = tabbedValues(stdout.toString("utf8"));
  if (exitCode === 0 && Object.entries(must).every(([word, value]) => value.test(values(word)[0] ?? ""))) return values;
  throw new HostwrightError(
    "HW_DATABASE_FAILED",
    `The database server on ${record.name} does not tell what a move has to know. Nothing was changed.`,
    { server: record.name, output: stderr.slice(-2000), retryable: true },
  );
}
