import { expect, test } from "vitest";
import { NO_OWN_RULES, type OwnRules } from "../../model/own-rules.ts";
import { expectedStatus } from "./expected-status.ts";

const status = (own: Partial<OwnRules>, enabled = true): number =>
  expectedStatus({ enabled, ownRules: { ...NO_OWN_RULES, ...own } });
const basicAuth = { realm: "Members", users: ["anna"] };
const redirects = [{ from: { exact: "/" }, to: "/home", status: 308 as const }];

test("a probe expects of the front page what the site's own rules make of it, the strictest first", () => {
  expect(status({})).toBe(200);
  expect(status({ basicAuth })).toBe(401);
  expect(status({ basicAuth, redirects })).toBe(308);
  expect(status({ basicAuth, redirects, denied: [{ prefix: "/" }] })).toBe(404);
  expect(status({ basicAuth, redirects, allowFrom: ["192.0.2.0/24"] })).toBe(403);
  expect(status({ basicAuth, allowFrom: ["127.0.0.0/8"] })).toBe(401);
  expect(status({ basicAuth }, false)).toBe(503);
  expect(
    status({ redirects: [{ from: { exact: "/other" }, to: "/", status: 301 }], denied: [{ suffix: ".zip" }] }),
  ).toBe(200);
});
