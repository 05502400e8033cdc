import type { Problem } from "../../contracts/problem.ts";
import type { Blame } from "../../contracts/publication.ts";
import type { ServerView } from "../../contracts/views.ts";

/** The web server that is spoken of. */
export interface WebServerName {
  /** As people write it: `Apache`. */
  readonly name: string;
  /** Debian package that brings it. */
  readonly package: string;
  /** `publication.root`: what lies below is ours. */
  readonly root: string;
  /** Command that tests the configuration, for whoever fixes it: `nginx -t`. */
  readonly test: string;
}

/**
 * What keeps a web server from working at all, alone: it is absent (the fact `version` is null), or it refuses its present
 * configuration. Otherwise those of the others that are none of `false`.
 * @param refused what the refusal is due to; null: it names no file; undefined: it takes its configuration
 */
export function webServerProblems(
  view: ServerView,
  { name, package: brings, root, test }: WebServerName,
  refused: Blame | null | undefined,
  others: readonly (Problem | false)[],
): readonly Problem[] {
  if ((view.facts["version"] ?? null) === null)
    return [{ message: `${name} is not installed.`, remedy: `Run the task \`prepare\`, which installs ${brings}.` }];
  if (refused === undefined) return others.filter((problem) => problem !== false);
  const what = `${name} refuses its present configuration`;
  if (refused === null || refused.file.startsWith(`${root}/`)) {
    const message = refused === null ? `${what}.` : `${what}: ${refused.message}.`;
    return [{ message, remedy: `Run \`${test}\` on the server and fix what it names.` }];
  }
  return [
    {
      code: "HW_HTTP_FOREIGN_CONFIG",
      message: `${what} because of ${refused.file}, which is not Hostwright's: ${refused.message}.`,
      remedy: `Remedy ${refused.file}, then try again.`,
    },
  ];
}
