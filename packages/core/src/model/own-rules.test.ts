import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { includesAddress, matchesPath, OwnRulesSchema, spellings, type Redirect } from "./own-rules.ts";
import { parseInput } from "./parse.ts";

const takes = (value: unknown): boolean => OwnRulesSchema.safeParse(value).success;
const to = (from: Redirect["from"], target: string): unknown => ({ redirects: [{ from, to: target }] });

describe("rules of a site's own", () => {
  test.each([
    to({ exact: "/alt ü" }, "/neu%20%C3%BC"),
    to({ prefix: "/a/" }, "https://shop.example:8443/b/"),
    { headers: [{ name: "Content-Security-Policy", value: `default-src 'self'; img-src "x"` }] },
    { denied: [{ prefix: "/a/" }, { exact: "/b" }, { suffix: ".zip", under: "/c/" }, { segment: "d" }] },
    { allowFrom: ["192.0.2.1", "10.0.0.0/8", "0.0.0.0/1", "2001:db8::/32", "::1", "::/1"] },
    { basicAuth: { users: ["anna", "b.c-d_e"] } },
    { basicAuth: null },
    {},
  ])("%j is taken", (value) => expect(takes(value)).toBe(true));

  test.each([
    ...[
      "",
      "a",
      "//evil.example/",
      "/a?b",
      "/a#b",
      "/a b",
      "/ü",
      "/$1",
      "/%2",
      "/a\r\nX: y",
      "javascript:alert(1)",
      "https://",
      "https://x",
      "https://a@b/",
      "https://x{y}/",
      'x"',
    ].map((target) => to({ exact: "/a" }, target)),
    to({ prefix: "/a/" }, "/b"),
    to({ prefix: "/a" }, "/b/"),
    ...["a", "/a\n", "/a//b", "/a/../b", "/./", "/$x", "/\ud800"].map((exact) => to({ exact }, "/b")),
    { redirects: [{ from: { exact: "/a" }, to: "/b", status: 200 }] },
    ...["a\r\nSet-Cookie: x", "a\nb", "", " a", "a ", "ü", "$x", "a\\", "expr=1", "a\u0000"].map((value) => ({
      headers: [{ name: "X-A", value }],
    })),
    ...["X A", "X:A", "", "Set-Cookie", "LOCATION", "content-length", "X-Accel-Redirect", "X-Sendfile", "9", "X\n"].map(
      (name) => ({
        headers: [{ name, value: "a" }],
      }),
    ),
    { headers: ["X-A", "x-a"].map((name) => ({ name, value: "a" })) },
    ...[
      "",
      "10.0.0.1/8",
      "0.0.0.0/0",
      "::/0",
      "10.0.0.0/33",
      "10.0.0.0/08",
      "10.0.0/8",
      "2001:db8::1/32",
      "::/129",
      "::ffff:1.2.3.4",
      "fe80::1%eth0",
      "all",
      "10.0.0.0/8/8",
      "10.0.0.0/8; allow all",
    ].map((network) => ({ allowFrom: [network] })),
    ...["a:b", "", "a\n", "ü", "-a"].map((user) => ({ basicAuth: { users: [user] } })),
    ...['a"b', "a\nb", "$a", "", "off"].map((realm) => ({ basicAuth: { realm, users: ["a"] } })),
    { basicAuth: { users: [] } },
    { denied: [{ suffix: "/x" }] },
    { denied: [{ exact: "/a", prefix: "/b/" }] },
    { rewrite: [] },
  ])("%j is refused", (value) => expect(takes(value)).toBe(false));
});

test("a path as a visitor may write it matches its spellings, and no other path does", () => {
  const sign = fc.constantFrom("a", "B", ".", "*", "(", "]", "^", "+", " ", "?", "%", "ü", "~", "-");
  fc.assert(
    fc.property(fc.array(sign, { maxLength: 6 }), fc.array(sign, { maxLength: 6 }), (one, other) => {
      const [path, else_] = [`/${one.join("")}`, `/${other.join("")}`];
      const regex = new RegExp(
        `^${spellings(path).replaceAll(/\(\?i:(%..)\)/g, (_all, hex: string) => `(?:${hex}|${hex.toUpperCase()})`)}$`,
      );
      const all = (text: string): string =>
        [...Buffer.from(text)].map((byte) => `%${byte.toString(16).padStart(2, "0")}`).join("");
      expect(regex.test(encodeURI(path).replaceAll("?", "%3F"))).toBe(true);
      expect(
        regex.test(`/${all(path.slice(1)).replaceAll("%61", "a").replaceAll("%42", "B").replaceAll("%2d", "-")}`),
      ).toBe(true);
      expect(regex.test(encodeURI(else_).replaceAll("?", "%3F"))).toBe(path === else_);
    }),
  );
});

test("addresses are found in networks", () => {
  const list = ["10.0.0.0/8", "192.0.2.7", "2001:db8::/32"];
  const found = ["10.255.0.1", "192.0.2.7", "192.0.2.8", "127.0.0.1", "2001:db8::5", "::1"].map((address) =>
    includesAddress(list, address),
  );
  expect(found).toEqual([true, true, false, false, true, false]);
});

test("networks are kept once, in the form that every web server takes", () => {
  expect(
    OwnRulesSchema.parse({ allowFrom: ["1:2:3:4:5:6:7::", "2001:DB8::/32", "2001:db8:0::/32", "10.0.0.0/8"] }),
  ).toEqual({
    allowFrom: ["0001:0002:0003:0004:0005:0006:0007:0000", "2001:0db8:0000:0000:0000:0000:0000:0000/32", "10.0.0.0/8"],
  });
});

test("patterns mean what the contract says", () => {
  expect(matchesPath({ suffix: ".zip", under: "/a/" }, "/a/b.zip")).toBe(true);
  expect(matchesPath({ suffix: ".zip", under: "/a/" }, "/b.zip")).toBe(false);
  expect(matchesPath({ segment: "x" }, "/a/x")).toBe(true);
  expect(matchesPath({ segment: "x" }, "/a/xy")).toBe(false);
});

test.each([
  [{ denied: ["/private/"] }, "denied.0: a pattern: { exact }, { prefix }, { suffix, under? } or { segment }"],
  [{ denied: [{ prefix: "/private" }] }, "denied.0.prefix: a prefix ends with /"],
  [to("/a" as never, "/b"), "redirects.0.from: { exact } or { prefix }"],
])("%j is refused with what stands in its place", (value, message) => {
  expect(() => parseInput(OwnRulesSchema, value, "rules")).toThrow(message);
});
