import { DatabaseBench, openTarget, secretOf, sh, Work } from "@hostwright/testing";
import { afterAll, beforeAll, expect, test } from "vitest";
import { postgres } from "../src/index.ts";
import { databaseType } from "../src/database-type.ts";
import { subject } from "./subject.ts";

let bench: DatabaseBench;

beforeAll(async () => {
  bench = await DatabaseBench.open(subject);
});

afterAll(async () => bench?.[Symbol.asyncDispose]());

test("a site makes the extensions that it may itself, and has the declared ones from the start", async () => {
  const options = postgres.services?.[0]?.options.schema.parse({ extensions: ["pg_stat_statements"] });
  const view = { ...bench.view, service: { ...bench.view.service, options } };
  await using target = openTarget(bench.host.server, { serviceOptions: { postgres: options } });
  await new Work(target, bench.types).ensure(bench.role.site(bench.request("sext", ["local"]), view));
  const password = secretOf(bench.request("sext").password);
  const ask = async (statement: string): Promise<string> =>
    (await bench.login("sext", password, statement)).text.trim();
  expect(await ask("CREATE EXTENSION pg_trgm; SELECT extname FROM pg_extension ORDER BY 1")).toBe(
    "pg_stat_statements\npg_trgm\nplpgsql",
  );
  expect(await ask("CREATE EXTENSION adminpack_of_nobody")).toMatch(/not available|permission denied/);
});

test("a database's locale is what it was declared with", async () => {
  const id = bench.newId();
  await using target = openTarget(bench.host.server, { serviceOptions: bench.serviceOptions });
  await new Work(target, bench.types).ensure(bench.sample(id));
  const [database] = (await databaseType.read(target, [id], { contents: true })).values();
  expect(database).toMatchObject({ locale: "C.UTF-8", encoding: "UTF8", owner: id, grants: [] });
});

test("a site's role logs in to its own database only, by whatever way, and everybody else as before", async () => {
  const id = bench.newId();
  await using target = openTarget(bench.host.server, { serviceOptions: bench.serviceOptions });
  const admin = "runuser -u postgres -- psql -q -X -At -v ON_ERROR_STOP=1 -d postgres";
  await sh(bench.host, `${admin} -c "CREATE DATABASE foreign_app" -c "CREATE ROLE monitor LOGIN PASSWORD 'x'"`);
  // As sites on the machine have them: a unix user of the role's name, which the socket asks for no password.
  await sh(bench.host, `useradd --no-create-home ${id}; useradd --no-create-home monitor`);
  await new Work(target, bench.types).ensure(bench.sample(id));
  const password = secretOf(bench.request(id).password);
  for (const name of ["postgres", "template1", "foreign_app"]) {
    for (const from of [bench.host, bench.webHead]) {
      const way = { ...bench.way(id, from), name };
      for (const host of from === bench.host ? [way.host, "::1", bench.host.address] : [way.host]) {
        const { ok, text } = await subject.login(from, { ...way, host }, password, "CREATE TEMPORARY TABLE t (x INT)");
        expect([name, host, ok]).toEqual([name, host, false]);
        expect(text).toMatch(/pg_hba.conf rejects connection|Connection refused/);
      }
    }
    const asUser = async (user: string): Promise<string> =>
      sh(bench.host, `runuser -u ${user} -- psql -X -At -d ${name} -c "SELECT 1" 2>&1 || true`);
    expect(await asUser(id)).toContain("pg_hba.conf rejects connection");
    expect((await asUser("monitor")).trim()).toBe("1");
  }
  expect(await bench.login(id, password, "SELECT 1")).toEqual({ ok: true, text: "1\n" });
});

test("what is asked of a site's database runs nothing of the site's as the administrator", async () => {
  const id = bench.newId();
  await using target = openTarget(bench.host.server, { serviceOptions: bench.serviceOptions });
  await new Work(target, bench.types).ensure(bench.sample(id));
  const body = `LANGUAGE plpgsql AS $$ BEGIN ALTER ROLE ${id} SUPERUSER; RETURN 7; END $$`;
  const { text, ok } = await bench.login(
    id,
    secretOf(bench.request(id).password),
    `CREATE FUNCTION public.pg_database_size(name) RETURNS bigint ${body};
    ALTER DATABASE ${id} SET search_path = public, pg_catalog; ALTER ROLE ${id} SET search_path = public, pg_catalog`,
  );
  expect([ok, text]).toEqual([true, ""]);
  const { stdout } = await bench.host.server.run({ argv: bench.moving?.contents(id, bench.view) ?? [] });
  expect(Number(/^bytes\t(\d+)$/m.exec(stdout.toString())?.[1])).toBeGreaterThan(1_000_000);
  const asked = `SELECT rolsuper FROM pg_roles WHERE rolname = '${id}'`;
  expect((await sh(bench.host, `runuser -u postgres -- psql -X -At -c "${asked}"`)).trim()).toBe("f");
});
