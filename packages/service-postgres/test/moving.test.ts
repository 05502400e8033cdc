import { expect, test } from "vitest";
import { facts } from "../src/facts.ts";
import { moving } from "../src/moving.ts";
import { PostgresOptions, type PostgresOptionsInput } from "../src/options.ts";
import { serverView } from "./samples.ts";

/** A server whose binary says that of itself. */
function running(said: string, options: PostgresOptionsInput = {}): ReturnType<typeof serverView> {
  const probe = facts(PostgresOptions.parse(options))["version"];
  return serverView(options, { facts: { version: probe?.parse({ exitCode: 0, stdout: said, stderr: "" }) } });
}

const BOOKWORM = running("postgres (PostgreSQL) 16.10 (Debian 16.10-1.pgdg12+1)\n", { version: "16" });
const TRIXIE = running("postgres (PostgreSQL) 17.6 (Debian 17.6-0+deb13u1)\n");
const EARLIER = running("postgres (PostgreSQL) 17.2 (Debian 17.2-1)\n");

test("an older version does not take a database; a newer one does, and any of the same major", () => {
  expect(moving.problems(TRIXIE, BOOKWORM)).toEqual([
    {
      message: "PostgreSQL 16 is older than the 17 of db1",
      remedy: "Upgrade it to PostgreSQL 17, or choose another server.",
    },
  ]);
  for (const [from, to] of [
    [BOOKWORM, TRIXIE],
    [TRIXIE, EARLIER],
    [EARLIER, TRIXIE],
    [TRIXIE, TRIXIE],
  ] as const)
    expect(moving.problems(from, to)).toEqual([]);
});

test("the database itself is asked, the other server by its maintenance database, both on their port", () => {
  const view = serverView({ port: 5433 });
  for (const [argv, database] of [
    [moving.contents("s1", view), "s1"],
    [moving.offers(view), "postgres"],
  ] as const) {
    expect(argv.slice(argv.indexOf("-p"), -1)).toEqual(["-p", "5433", "-d", database, "-c"]);
  }
});

test("a server has those extensions and that locale that databases are made with there", () => {
  const asked = moving
    .offers(serverView({ extensions: ["pg_stat_statements", "vector"], locale: "de_DE.UTF-8" }))
    .at(-1);
  expect(asked).toContain("string_to_array('pg_stat_statements,vector', ',')");
  expect(asked).toContain("'locale ' || 'de_DE.UTF-8'");
});
