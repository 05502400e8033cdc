import { describe, expect, test } from "vitest";
import { authenticationOf, cachingSha2Hash, nativeHash } from "../src/password.ts";

test("mysql_native_password: as the server's PASSWORD('mariadb') says", () => {
  expect(nativeHash("mariadb")).toBe("*54958E764CE10E50764C2EECBB71D01F08549980");
});

describe("caching_sha2_password", () => {
  test("as a MySQL server stored it: a salt of 20 bytes, any of them", () => {
    const salt = Buffer.from("F9CC98CE08892924F50A213B6BC571A2C11778C5", "hex");
    expect(cachingSha2Hash("hashcat", salt)).toBe(
      `$A$005$${salt.toString("latin1")}bTy95Y99eAME1dwEkHOA1ndHGBWz.1bxSSRkuTXFGV/`,
    );
  });

  test("the same account and password give the same clause, another account another", () => {
    const made = authenticationOf("mysql", "secret", "s1", "localhost");
    expect(made).toMatch(/^WITH caching_sha2_password AS '\$A\$005\$[A-Za-z0-9_-]{20}[./A-Za-z0-9]{43}'$/);
    expect(authenticationOf("mysql", "secret", "s1", "localhost")).toBe(made);
    expect(authenticationOf("mysql", "secret", "s2", "localhost")).not.toBe(made);
  });
});

test("each flavour keeps passwords its own way, and no clause holds the password", () => {
  for (const flavour of ["mariadb", "mysql"] as const) {
    expect(authenticationOf(flavour, "hunter2", "s1", "localhost")).not.toContain("hunter2");
  }
});

test.each(["", "a\0b", "\ud800"])("a password that is none, or that no client can send, is refused: %j", (password) => {
  const make = () => authenticationOf("mariadb", password, "s1", "localhost");
  expect(make).toThrow(expect.objectContaining({ code: "HW_QUOTE_REFUSED" }) as Error);
});
