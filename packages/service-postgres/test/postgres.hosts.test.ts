import { DatabaseBench, openTarget, secretOf, Work } from "@hostwright/testing";
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
