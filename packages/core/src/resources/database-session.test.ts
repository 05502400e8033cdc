import { PassThrough } from "node:stream";
import { expect, test } from "vitest";
import type { Target } from "../contracts/resource.ts";
import { sql } from "../model/sql.ts";
import { openSession, type DatabaseDriver, type DatabaseSession } from "./database-session.ts";

const never = sql`never`;

function driver(login: Promise<DatabaseSession>): DatabaseDriver<DatabaseSession> {
  return {
    type: "test",
    remedy: "Start it.",
    socket: () => ({ path: "/run/test.sock", user: "root" }),
    login: async () => login,
    explain: () => ({ kind: "lost", said: "", data: {} }),
    lock: () => ({ take: never, endEarlier: never, release: never }),
    batch: 1,
    unsynced: () => null,
  };
}

test("a database server that lets in and says nothing is given up: its stream goes, and a late login is closed", async () => {
  const stream = new PassThrough();
  const target = { server: { name: "db1", forward: async () => stream } } as unknown as Target;
  const login = Promise.withResolvers<DatabaseSession>();
  await expect(openSession(target, driver(login.promise), null, 20)).rejects.toMatchObject({
    code: "HW_SOCKET_UNREACHABLE",
    retryable: true,
    server: "db1",
  });
  expect(stream.destroyed).toBe(true);
  const closed = new Promise<void>((resolve) => {
    const nothing = { alive: true, query: async () => [], run: async () => undefined };
    login.resolve({ ...nothing, close: async () => resolve() });
  });
  await closed;
});
