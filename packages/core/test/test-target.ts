import type { Server, Target } from "../src/plugin.ts";
import { LocalServer } from "../src/servers/local-server.ts";

/** A target without fence or lease, on this machine unless a server is given. */
export function testTarget(
  secrets: Readonly<Record<string, string>> = {},
  server: Server = new LocalServer("here"),
): Target {
  return {
    server,
    credentials: null,
    signal: new AbortController().signal,
    scope: "site/s1",
    resolve: ({ id }) => {
      const value = secrets[id];
      if (value === undefined) throw new Error(`the test knows no secret ${id}`);
      return value;
    },
    serviceOptions: () => undefined,
    connection: async (_key, open) => open(),
    mutate: async (script) => server.script(script),
  };
}
