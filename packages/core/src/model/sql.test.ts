import { expect, test } from "vitest";
import { joinSql, refusedSql, sql, sqlKeyword, sqlNumber } from "./sql.ts";

const refused = expect.objectContaining({ code: "HW_QUOTE_REFUSED" });

test("keywords and numbers take nothing else", () => {
  expect(sql`GRANT ${sqlKeyword("CREATE TEMPORARY TABLES")} ${sqlNumber(-1)}`).toBe("GRANT CREATE TEMPORARY TABLES -1");
  for (const word of ["SELECT;", "a--", "", "x'", "a  b", "`a`"]) expect(() => sqlKeyword(word)).toThrow(refused);
  for (const number of [1.5, Number.NaN, Infinity, 2 ** 60]) expect(() => sqlNumber(number)).toThrow(refused);
});

test("parts are joined with commas, or as is said", () => {
  expect(joinSql([sql`a`, sql`b`])).toBe("a, b");
  expect(joinSql([sql`a`, sql`b`], ";\n")).toBe("a;\nb");
});

test("a refused value is not repeated: it may be a secret", () => {
  expect(refusedSql("a string", "hunter2").message).toBe("a string of 7 characters cannot be written safely in SQL");
});
