import { expect, test } from "vitest";
import { nginx } from "../src/index.ts";
import { serverResources, statusEntry } from "../src/server.ts";
import { renderSite } from "../src/vhost.ts";
import { siteView, wordpressRules } from "../../../test/support/http-samples.ts";
import { serverView } from "./samples.ts";

const keys = serverResources(serverView()).map(({ type, spec }) => {
  const { path, name, root } = spec as { path?: string; name?: string; root?: string };
  return `${type} ${path ?? name ?? root ?? ""}`;
});

test("outside of our own folders a server gets one include, two settings and the unit, and nothing else", () => {
  expect(keys.filter((key) => !/ \/(?:etc\/hostwright|var\/lib\/hostwright-acme)(?:\/|$)/.test(key))).toEqual([
    "file /etc/nginx/conf.d/hostwright.conf",
    "directory /etc/systemd/system/nginx.service.d",
    "file /etc/systemd/system/nginx.service.d/hostwright.conf",
    "unit nginx.service",
    "file /etc/nginx/modules-enabled/90-hostwright.conf",
  ]);
  expect(keys).toContain("file /etc/hostwright/nginx/entries/000-default.conf");
});

test("options have defaults, and refuse what they do not know", () => {
  const schema = nginx.services?.[0]?.options.schema;
  expect(schema?.parse({})).toEqual({ httpPort: 80, ipv6: true });
  expect(schema?.safeParse({ httpPort: 0 }).success).toBe(false);
  expect(schema?.safeParse({ port: 80 }).success).toBe(false);
});

test("a port and a kernel without IPv6 are rendered", () => {
  const { content } = renderSite(siteView("s", wordpressRules), serverView({}, { httpPort: 8080, ipv6: false }));
  expect(content).toContain("listen 8080;");
  expect(content).not.toMatch(/\[::\]|listen 80;/);
});

test("the status entry differs between generations by its number only", () => {
  expect(statusEntry(700).content.replace("700", "800")).toBe(statusEntry(800).content);
});

test("a site that could break out of its block is refused", () => {
  const refused = expect.objectContaining({ code: "HW_QUOTE_REFUSED" }) as unknown;
  const render = (change: Parameters<typeof siteView>[2]) => () =>
    renderSite(siteView("s", wordpressRules, change), serverView());
  expect(render({ domain: "a.test; } server {" })).toThrow(refused);
  expect(render({ aliases: ["~.*"] })).toThrow(refused);
  expect(render({ runtime: { kind: "php", protocol: "fastcgi", socket: "/run/x;", main: null } })).toThrow(refused);
});
