import { expect, test } from "vitest";
import { apache } from "../src/index.ts";
import { serverResources, statusEntry } from "../src/server.ts";
import { renderSite } from "../src/vhost.ts";
import { siteView, wordpressRules } from "../../../test/support/http-samples.ts";
import { serverView } from "./samples.ts";

const keys = serverResources(serverView()).map(({ type, spec }) => {
  const { path, name, root } = spec as { path?: string; name?: string; root?: string };
  return `${type} ${path ?? name ?? root ?? ""}`;
});

test("outside of our own folders a server gets one include, one drop-in and the unit, and nothing else", () => {
  expect(keys.filter((key) => !/ \/(?:etc\/hostwright|var\/lib\/hostwright-acme)(?:\/|$)/.test(key))).toEqual([
    "file /etc/apache2/conf-enabled/000-hostwright.conf",
    "directory /etc/systemd/system/apache2.service.d",
    "file /etc/systemd/system/apache2.service.d/hostwright.conf",
    "unit apache2.service",
  ]);
  expect(keys).toContain("file /etc/hostwright/apache/entries/000-default.conf");
});

test("options have defaults, and refuse what they do not know", () => {
  const schema = apache.services?.[0]?.options.schema;
  expect(schema?.parse({})).toEqual({ httpPort: 80 });
  expect(schema?.safeParse({ httpPort: 0 }).success).toBe(false);
  expect(schema?.safeParse({ port: 80 }).success).toBe(false);
});

test("a port is rendered, and listened on where no other file does", () => {
  const listens = (facts: Readonly<Record<string, unknown>>, httpPort: number): boolean =>
    serverResources(serverView(facts, { httpPort })).some(({ spec }) =>
      String((spec as { content?: unknown }).content).includes(`Listen ${httpPort}\n`),
    );
  const { content } = renderSite(siteView("s", wordpressRules), serverView({}, { httpPort: 8080 }));
  expect(content).toContain("<VirtualHost *:8080>");
  expect(content).not.toContain("*:80>");
  expect([listens({}, 80), listens({}, 8080), listens({ listens: [80, 8080] }, 8080)]).toEqual([false, true, false]);
});

test("the status entry differs between generations by its number only", () => {
  expect(statusEntry(700).content.replace("700", "800")).toBe(statusEntry(800).content);
});

test("a site that could break out of its block is refused", () => {
  const refused = expect.objectContaining({ code: "HW_QUOTE_REFUSED" }) as unknown;
  const render = (change: Parameters<typeof siteView>[2]) => () =>
    renderSite(siteView("s", wordpressRules, change), serverView());
  expect(render({ domain: "a.test>\n<VirtualHost *:80" })).toThrow(refused);
  expect(render({ aliases: ["*"] })).toThrow(refused);
  expect(render({ runtime: { kind: "php", protocol: "fastcgi", socket: "/run/x|y", main: null } })).toThrow(refused);
});
