import { PassThrough } from "node:stream";
import { expect, test, vi } from "vitest";
import * as z from "zod";
import type { Target } from "../contracts/resource.ts";
import { sql, type Sql } from "../model/sql.ts";
import { LocalServer } from "../servers/local-server.ts";
import { HostwrightError } from "../errors/hostwright-error.ts";
import { defineDatabaseResource } from "./define-database-resource.ts";
import { StatementFailed, type DatabaseSession } from "./database-session.ts";
import type { DatabaseFailure } from "./database-error.ts";

interface Thing {
  readonly name: string;
  readonly size: number;
}

const SAID = `no\nway with *${"0A".repeat(20)} $A$005$ab SCRAM-SHA-256$4096:cd==$ef and that.`;

/** A database server in memory: what stands, what was sent, and what goes wrong. */
function server(stands: readonly Thing[] = []) {
  const sent: string[] = [];
  const wrong: {
    socket?: Error;
    take?: () => boolean;
    /** Called with what is sent. */
    sent?: (statements: string) => void;
    statement?: { readonly at: string; readonly kind: DatabaseFailure["kind"] };
  } = {};
  let opened = 0;
  let alive = true;
  const session = (database: string | null): DatabaseSession => ({
    get alive() {
      return alive;
    },
    query: async (statement) => {
      sent.push(statement);
      if (statement === "TAKE") return [{ got: wrong.take?.() ?? true }];
      return [];
    },
    run: async (statements) => {
      sent.push(`${database === null ? "" : `${database}: `}${statements.join("; ")}`);
      wrong.sent?.(statements.join("; "));
      const index = statements.findIndex((statement) => statement === wrong.statement?.at);
      if (index >= 0) throw new StatementFailed(index, new Error("secret"));
    },
    close: async () => {},
  });
  const resource = defineDatabaseResource<Thing, Thing, DatabaseSession>({
    name: "test-thing",
    schema: z.strictObject({ name: z.string(), size: z.number() }),
    rank: 50,
    removal: "clean-up",
    driver: {
      type: "test",
      remedy: "Start it.",
      socket: () => ({ path: "/run/test.sock", user: "root" }),
      login: async (_target, _stream, database) => {
        if (wrong.socket !== undefined) throw wrong.socket;
        opened += 1;
        alive = true;
        return session(database);
      },
      explain: () => ({ kind: wrong.statement?.kind ?? "refused", said: SAID, data: { code: "X" } }),
      lock: (scope) => ({ take: sql`TAKE`, endEarlier: `END ${scope}` as Sql, release: sql`RELEASE` }),
      batch: 2,
      unsynced: () => "/data",
    },
    what: "thing",
    key: ({ name }) => name,
    desired: (spec) => spec,
    states: async (_session, keys) =>
      new Map(stands.filter(({ name }) => keys.includes(name)).map((thing) => [thing.name, thing])),
    identity: (thing) => thing,
    statements: ({ key, after }) => [
      `${after === null ? "DROP" : "MAKE"} ${key}` as Sql,
      ...(after !== null && after.size > 1 ? [{ database: key, statement: sql`FILL` }] : []),
    ],
    showSpec: ({ name }) => name,
    showState: ({ name }) => name,
  });
  return { sent, wrong, resource, opened: () => opened, lose: () => void (alive = false) };
}

const answer = { signal: null, stdout: Buffer.alloc(0), stderr: "", timedOut: false, aborted: false, truncated: false };

function target(over: Partial<Target> = {}): Target & { readonly scripts: string[]; readonly stream: PassThrough } {
  const links = new Map<string, Promise<unknown>>();
  const scripts: string[] = [];
  const machine = new LocalServer("db1");
  const stream = new PassThrough();
  vi.spyOn(machine, "forward").mockResolvedValue(stream);
  return {
    stream,
    scripts,
    server: machine,
    credentials: null,
    signal: new AbortController().signal,
    scope: "site/s1",
    resolve: () => "no secret is asked for",
    serviceOptions: () => undefined,
    connection: async <T>(key: string, open: () => Promise<T>) => {
      const link = (links.get(key) as Promise<T> | undefined) ?? open();
      links.set(key, link);
      return link;
    },
    mutate: async ({ script }) => {
      scripts.push(script);
      return { ...answer, exitCode: 0 };
    },
    ...over,
  };
}

const made = (name: string, size = 1) => ({ key: name, before: null, after: { name, size } });

test("changes travel in batches, each database's by themselves, between lock and release", async () => {
  const { sent, resource } = server();
  const here = target();
  await resource.apply(here, [made("a"), made("b"), made("c", 2), made("d")]);
  expect(sent).toEqual(["TAKE", "MAKE a; MAKE b", "MAKE c", "c: FILL", "MAKE d", "RELEASE"]);
  expect(here.scripts).toEqual([":", 'sync -f -- "$1"']);
});

test("what is made is a resource type and nothing more: the core refuses what it does not know", () => {
  const own = ["name", "schema", "rank", "removal", "key", "desired", "read", "identity", "apply"];
  expect(Object.keys(server().resource).toSorted()).toEqual([...own, "showSpec", "showState"].toSorted());
});

test("nothing to read or to change, nothing opened", async () => {
  const { resource, opened } = server();
  await resource.apply(target(), []);
  expect(await resource.read(target(), [], { contents: true })).toEqual(new Map());
  expect(opened()).toBe(0);
});

test.each([
  ["exists already", [{ name: "b", size: 1 }], made("b")],
  ["is gone", [], { key: "b", before: { name: "b", size: 1 }, after: null }],
  ["is not as it was read", [{ name: "b", size: 9 }], { key: "b", before: { name: "b", size: 1 }, after: null }],
])("what %s is left alone, and all else too", async (how, stands, change) => {
  const { sent, resource } = server(stands);
  await expect(resource.apply(target(), [made("a"), change])).rejects.toMatchObject({
    code: "HW_RESOURCE_CHANGED",
    message: `The thing b on db1 ${how}. Nothing was changed.`,
    data: { key: "b" },
  });
  expect(sent).toEqual(["TAKE", "RELEASE"]);
});

test("a lease that cannot be checked changes nothing, gives the lock back and may be tried again", async () => {
  const { sent, resource } = server();
  const stopping = target({ mutate: async () => ({ ...answer, exitCode: 255, stderr: "System is going down" }) });
  await expect(resource.apply(stopping, [made("a")])).rejects.toMatchObject({
    code: "HW_COMMAND_FAILED",
    retryable: true,
  });
  expect(sent).toEqual(["TAKE", "RELEASE"]);
});

test("the lock that another has is waited for, the lease asked again, and an earlier holder of its scope ended", async () => {
  const { sent, wrong, resource } = server();
  wrong.take = vi.fn<() => boolean>(() => true).mockReturnValueOnce(false);
  const here = target();
  await resource.apply(here, [made("a")]);
  expect(sent).toEqual(["TAKE", "END site/s1", "TAKE", "MAKE a", "RELEASE"]);
  expect(here.scripts).toEqual([":", ":", 'sync -f -- "$1"']);
});

test("cancelled while it waits, nothing is changed", async () => {
  const { sent, wrong, resource } = server();
  const stop = new AbortController();
  wrong.take = () => {
    stop.abort();
    return false;
  };
  await expect(resource.apply(target({ signal: stop.signal }), [made("a")])).rejects.toMatchObject({
    code: "HW_CANCELLED",
  });
  expect(sent).not.toContain("MAKE a");
});

test("cancelled in the middle of one thing, that one is ended and no other begun", async () => {
  const { sent, wrong, resource } = server();
  const stop = new AbortController();
  wrong.sent = () => stop.abort();
  const changing = resource.apply(target({ signal: stop.signal }), [made("c", 2), made("d")]);
  await expect(changing).rejects.toMatchObject({ code: "HW_CANCELLED" });
  expect(sent).toEqual(["TAKE", "MAKE c", "c: FILL", "RELEASE"]);
});

test.each([
  ["exists", "HW_RESOURCE_CHANGED", "made by somebody else"],
  ["missing", "HW_RESOURCE_CHANGED", "is gone meanwhile"],
  [
    "refused",
    "HW_DATABASE_FAILED",
    "refused a statement while changing the thing b: no way with [hash] [hash] [hash] and that. What",
  ],
  ["passing", "HW_DATABASE_FAILED", "refused a statement"],
  ["lost", "HW_DATABASE_UNREACHABLE", "ended the connection"],
  ["login", "HW_DATABASE_UNREACHABLE", "does not let its administrator in"],
] as const)("a statement that fails as %s names its thing and no statement", async (kind, code, said) => {
  const { wrong, resource } = server();
  wrong.statement = { at: "MAKE b", kind };
  const error = await resource.apply(target(), [made("a"), made("b")]).then(
    () => undefined,
    (thrown: unknown) => thrown as HostwrightError,
  );
  expect(error).toMatchObject({ code, message: expect.stringContaining(said) });
  expect(error?.message).toContain("thing b");
  expect(error?.retryable).toBe(["passing", "lost", "login"].includes(kind));
  expect(JSON.stringify([error, error?.cause])).not.toMatch(/MAKE|secret/);
});

test("a session that was lost is replaced, and two that ask at once share one", async () => {
  const { resource, opened, lose } = server();
  const here = target();
  await Promise.all([1, 2].map(async () => resource.read(here, ["a"], { contents: true })));
  expect(opened()).toBe(1);
  lose();
  await resource.read(here, ["a"], { contents: true });
  expect(opened()).toBe(2);
});

test("a socket that does not answer is told with the remedy", async () => {
  const { wrong, resource } = server();
  wrong.socket = new HostwrightError("HW_SOCKET_UNREACHABLE", "no such socket");
  const here = target();
  await expect(resource.read(here, ["a"], { contents: true })).rejects.toMatchObject({
    code: "HW_DATABASE_UNREACHABLE",
    remedy: "Start it.",
    retryable: true,
  });
  expect(here.stream.destroyed).toBe(true);
});
