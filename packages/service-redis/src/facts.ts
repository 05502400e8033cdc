import type { FactProbe } from "@hostwright/core/plugin";

export const facts: Readonly<Record<string, FactProbe>> = {
  /** Null where it is not installed. */
  version: {
    argv: ["redis-server", "--version"],
    parse: ({ exitCode, stdout }) => (exitCode === 0 ? (/v=(\d+(?:\.\d+)+)/.exec(stdout)?.[1] ?? null) : null),
  },
};
