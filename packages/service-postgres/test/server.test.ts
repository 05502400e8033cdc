import { expect, test } from "vitest";
import { facts, type Exposure } from "../src/facts.ts";
import { PostgresOptions } from "../src/options.ts";
import { problems } from "../src/problems.ts";
import { role } from "../src/role.ts";
import { contentOf, serverView } from "./samples.ts";

test("the sites' rules come before the distribution's, which would let everybody in on the loopback", () => {
  const contents = role.server(serverView()).map(contentOf);
  expect(
    contents
      .find((content) => content.includes("include"))
      ?.split("\n")
      .slice(1),
  ).toEqual(["include_dir /etc/hostwright/postgres/sites", "include /etc/postgresql/17/main/pg_hba.conf"]);
  const start = contents.find((content) => content.includes("ExecStart=/")) ?? "";
  expect(start).toContain('-o "-c hba_file=/etc/hostwright/postgres/rules.conf"');
  expect(start).not.toContain("listen_addresses");
});

test("with addresses it listens on them besides the loopback", () => {
  const contents = role.server(serverView({ listen: ["10.0.0.5", "fd00::5"] })).map(({ spec }) => JSON.stringify(spec));
  expect(contents.join("")).toContain("listen_addresses=localhost,10.0.0.5,fd00::5");
});

test.each(["15", "9", "016", "17; x"])("version %j is refused: its rules could not include the sites'", (version) => {
  expect(PostgresOptions.safeParse({ version }).success).toBe(false);
});

const STOCK = "/etc/postgresql/17/main/pg_hba.conf";
const OURS = "/etc/hostwright/postgres/rules.conf";

/** What a server says of itself, as its probe reads it. */
function exposureOf(listens: string, rules: string, ...trusted: readonly string[]): Exposure {
  const stdout = [`listens\t${listens}`, `rules\t${rules}`, ...trusted.map((line) => `trusted\t${line}`), ""].join(
    "\n",
  );
  return facts(PostgresOptions.parse({}))["exposure"]?.parse({ exitCode: 0, stdout, stderr: "" }) as Exposure;
}

const messages = (found: Readonly<Record<string, unknown>>, options: unknown = {}): readonly string[] =>
  problems(serverView(options, { facts: found })).map(({ message }) => message);

test("a stock server has no problem, nor has one whose rules are ours", () => {
  for (const rules of [STOCK, OURS])
    expect(messages({ version: "17.6", exposure: exposureOf("localhost", rules) })).toEqual([]);
});

test("not installed, or not answering, is a problem", () => {
  const probe = facts(PostgresOptions.parse({}))["exposure"];
  expect(messages({ version: null })).toEqual(["PostgreSQL 17 is not installed"]);
  expect(
    messages({ version: "17.6", exposure: probe?.parse({ exitCode: 2, stdout: "", stderr: "no" }) }, { port: 5433 }),
  ).toEqual(["PostgreSQL does not answer the user postgres on port 5433"]);
});

test("rules that ours would put out of force, that trust the network, or a port open to others are problems", () => {
  const exposure = exposureOf("*", "/srv/rules", "line 7");
  expect(messages({ version: "17.6", exposure })).toEqual([
    "its rules of access are in /srv/rules, which would no longer count",
    "it listens on *, though no address is declared for it",
    `anybody may log in over the network without a password (${STOCK}, line 7)`,
  ]);
  expect(messages({ version: "17.6", exposure: exposureOf("*", OURS) }, { listen: ["10.0.0.5"] })).toEqual([]);
});
