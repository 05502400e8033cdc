import { notInstalled, type FactProbe, type Problem, type ServerView } from "@hostwright/core/plugin";

export const PACKAGES: readonly string[] = ["nodejs"];

export const facts: Readonly<Record<string, FactProbe>> = {
  /** Null where it is not installed. */
  version: {
    argv: ["dpkg-query", "-W", "-f", "${db:Status-Status} ${Version}", ...PACKAGES],
    parse: ({ stdout }) => /^installed (?:\d+:)?(\d+\.\d+\.\d+)/.exec(stdout)?.[1] ?? null,
  },
};

export function problems({ facts: { version } }: ServerView): readonly Problem[] {
  return (version ?? null) === null ? [notInstalled("Node.js", PACKAGES)] : [];
}
