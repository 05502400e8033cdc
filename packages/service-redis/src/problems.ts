import { notInstalled, type Problem, type ServerView } from "@hostwright/core/plugin";

/** Key patterns and categories of commands for accounts, without channels that everybody hears. */
const OLDEST = 7;

/** What the facts tell against keeping sites' caches on this server. */
export function problems(view: ServerView): readonly Problem[] {
  const version = (view.facts["version"] ?? null) as string | null;
  if (version === null) return [notInstalled("Redis", ["redis-server"])];
  if (Number.parseInt(version, 10) >= OLDEST) return [];
  return [
    {
      message: `Redis ${version} cannot keep sites apart: version ${OLDEST} is the first that can.`,
      remedy: "Upgrade the server to Debian 12 or later.",
    },
  ];
}
