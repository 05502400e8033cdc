import { HostwrightError } from "../errors/hostwright-error.ts";
import type { Problem } from "../contracts/problem.ts";
import type { ServerRecord } from "../model/records.ts";
import type { Planning } from "../contracts/planning.ts";

/** What stands between a server and its sites: missing packages and what its services' plugins object to. */
export async function problemsOf(context: Planning, server: ServerRecord): Promise<readonly Problem[]> {
  const facts = await context.facts(server);
  const { missingPackages: missing } = facts;
  const packages =
    missing.length === 0
      ? []
      : [{ message: `Packages are missing: ${missing.join(", ")}.`, remedy: "Run the task `prepare`." }];
  return [...packages, ...facts.problems];
}

/** Nothing, where sites can be worked on these servers. @throws HW_PREREQUISITE_MISSING, or the code of the first, naming every problem that is not tolerable, with its remedy. */
export async function refuseProblems(context: Planning, servers: readonly ServerRecord[]): Promise<void> {
  const unique = [...new Map(servers.map((server) => [server.id, server])).values()];
  const found = await Promise.all(
    unique.map(async (server) =>
      (await problemsOf(context, server)).map((problem) => ({ server: server.name, ...problem })),
    ),
  );
  refuse(found.flat());
}

/** @throws as `refuseProblems`, for problems that were found already, each on the server of that name. */
export function refuse(found: readonly (Problem & { readonly server: string })[]): void {
  const problems = found.filter((problem) => problem.tolerable !== true);
  const [first] = problems;
  if (first === undefined) return;
  throw new HostwrightError(
    first.code ?? "HW_PREREQUISITE_MISSING",
    `${problems.map(({ server, message }) => `${server}: ${message.replace(/\.?$/, ".")}`).join(" ")} Nothing was changed.`,
    { server: first.server, remedy: problems.map((problem) => problem.remedy).join(" "), data: { problems } },
  );
}
