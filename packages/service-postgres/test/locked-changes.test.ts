import { LocalServer, type Target } from "@hostwright/core";
import { expect, test, vi } from "vitest";
import { Client } from "../src/client.ts";
import { applyChanges } from "../src/locked-changes.ts";
import { PostgresOptions } from "../src/options.ts";

test("a lease that cannot be checked changes nothing, gives the lock back and may be tried again", async () => {
  const target: Target = {
    server: new LocalServer("db1"),
    signal: new AbortController().signal,
    scope: "site/s7k2m9xq4t",
    resolve: () => "no secret is asked for",
    serviceOptions: () => undefined,
    connection: async (_key, open) => open(),
    mutate: () =>
      Promise.resolve({
        exitCode: 255,
        signal: null,
        stdout: Buffer.alloc(0),
        stderr: "System is going down",
        timedOut: false,
        aborted: false,
        truncated: false,
      }),
  };
  const client = new Client(target, PostgresOptions.parse({}));
  vi.spyOn(client, "alive", "get").mockReturnValue(true);
  const query = vi.spyOn(client, "query").mockResolvedValue([{ got: true }]);
  const change = vi.fn<() => Promise<void>>();

  const applied = applyChanges(target, client, [{ key: "s_1", before: null, after: {} }], {
    what: "database",
    read: () => Promise.resolve(new Map<string, object>()),
    identity: (state) => state,
    change,
  });

  await expect(applied).rejects.toMatchObject({ code: "HW_COMMAND_FAILED", retryable: true });
  expect(change).not.toHaveBeenCalled();
  expect(query.mock.lastCall?.[1]).toBe("giving its lock back");
});
