import { spawnSync } from "node:child_process";
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { resolveText, type DatabaseBinding, type ServerView } from "@hostwright/core/plugin";
import { afterAll, beforeAll, expect, test } from "vitest";
import { copy } from "../src/copy.ts";
import { PostgresOptions } from "../src/options.ts";

const password = { ref: "secret", id: "site/s1/db-password", label: "db password" } as const;
const binding: DatabaseBinding = {
  protocol: "postgres",
  host: "10.0.0.5",
  port: 5433,
  socket: null,
  name: "s1",
  user: "s1",
  password,
};
const service = { name: "db", kind: "db", type: "postgres", options: PostgresOptions.parse({}) };
const view: ServerView = { id: "d1", name: "db1", addresses: [], services: [], service, facts: {}, peers: [] };
const made = copy(binding, view);
const LOGIN = resolveText(made.login, () => `p'$(w)\`"\\ =#x`);

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "hostwright-copy-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Takes a dump by stand-ins of both programs, each noting the login that it was given. */
function dump(contents: string, ends: { readonly pg_dump?: number; readonly psql?: number } = {}) {
  writeFileSync(join(folder, "login"), LOGIN);
  writeFileSync(join(folder, "dump.sql"), contents);
  for (const [name, says] of Object.entries({ pg_dump: `cat ${folder}/dump.sql`, psql: "echo 'ALTER settings;'" })) {
    const path = join(folder, name);
    const code = ends[name as keyof typeof ends] ?? 0;
    writeFileSync(path, `#!/bin/sh\ncat "$PGSERVICEFILE" >${path}.login\n${says}\nexit ${code}\n`);
    chmodSync(path, 0o755);
  }
  const argv = made.dump.map((word) => word.replace(/^\/usr\/lib\/postgresql\/17\/bin\//, `${folder}/`));
  const quoted = argv.map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(" ");
  // Read once, as from core's pipe.
  const script = `cat ${folder}/login | { exec 3<&0 </dev/null; exec ${quoted}; }`;
  const { stdout, status } = spawnSync("sh", ["-c", script], { encoding: "utf8" });
  return { stdout, status };
}

const BEFORE = "SET x = 0;\nCREATE EXTENSION IF NOT EXISTS pg_trgm;\n";
const AFTER =
  "COPY public.odd (words) FROM stdin;\nCOMMENT ON EXTENSION pg_trgm IS 'mine';\nCOPY a FROM stdin;\n\\\\.\n\\N\n\\.\n\nCOMMENT ON TABLE t IS 'x';\n\\unrestrict x\n";

test("a dump has all rows and statements, but what extensions are called; then settings and the trailer", () => {
  const { stdout, status } = dump(`${BEFORE}COMMENT ON EXTENSION pg_trgm IS 'text';\n${AFTER}`);
  expect(stdout).toBe(`${BEFORE}${AFTER}ALTER settings;\n${made.trailer}\n`);
  expect(status).toBe(0);
});

test("both programs are given the login as it is", () => {
  dump(BEFORE);
  for (const name of ["pg_dump", "psql"]) expect(readFileSync(join(folder, `${name}.login`), "utf8")).toBe(LOGIN);
  expect(LOGIN).toContain("\npassword=p'$(w)`\"\\ =#x\n");
});

test.each([{ pg_dump: 1 }, { psql: 1 }])("what ends badly (%j) has no trailer", (ends) => {
  const { stdout, status } = dump(BEFORE, ends);
  expect(stdout).not.toContain(made.trailer);
  expect(status).not.toBe(0);
});

test("the programs are those of the server's version, and a Debian package is named that brings them", () => {
  const older = copy(binding, { ...view, service: { ...service, options: PostgresOptions.parse({ version: "16" }) } });
  expect(older.program).toBe("/usr/lib/postgresql/16/bin/psql");
  expect(older.load).toContain(older.program);
  expect(older.package).toBe("postgresql-client-16");
});
