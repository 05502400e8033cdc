import * as fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  isHostwrightError,
  type HttpEntry,
  type PathPattern,
  type ServiceDefinition,
  type WebRules,
} from "@hostwright/core";
import { HttpHost, httpTable, type Answer } from "../../../test/support/http-table.ts";
import { siteView, wordpressRules } from "../../../test/support/http-samples.ts";
import { facts } from "../src/facts.ts";
import { nginx } from "../src/index.ts";
import { ROOT } from "../src/paths.ts";
import { renderSite } from "../src/vhost.ts";
import { serverView } from "./samples.ts";

const definition = nginx.services?.[0] as Extract<ServiceDefinition, { kind: "http" }>;
const subject = { definition, view: serverView(), log: "/var/log/nginx/hostwright.log" };
const { view } = subject;

httpTable("nginx", subject);

describe("nginx itself", () => {
  let web: HttpHost;
  const get = async (name: string, path: string): Promise<Answer> => web.get(name, path);

  beforeAll(async () => {
    web = await HttpHost.start(subject);
  });
  afterAll(async () => web?.[Symbol.asyncDispose]());

  test("an unknown name meets Debian's stock site while that claims the default, and ours as soon as it is gone", async () => {
    const readFacts = async (): Promise<unknown> => {
      const probe = facts["foreign"];
      const { code, stdout, stderr } = await web.host.exec(probe?.argv ?? []);
      return probe?.parse({ exitCode: code, stdout, stderr });
    };
    const withFacts = async () => definition.problems(serverView({ version: "1.26.3", foreign: await readFacts() }));
    expect((await web.configTest()).said).not.toMatch(/warn|emerg/);
    expect((await get("unknown.test", "/")).status).toBe(200);
    expect((await withFacts()).map(({ message }) => message)).toEqual([
      expect.stringContaining("/etc/nginx/sites-enabled/default"),
    ]);
    const held = definition.role.heldNames((await web.host.exec(definition.role.dump)).stdout);
    expect(held.filter(({ file }) => !file.startsWith(`${ROOT}/`))).toEqual([]);
    expect(held).toContainEqual({ name: "www.wordpress.test", file: `${ROOT}/current/wordpress.conf` });
    await web.host.sh("rm /etc/nginx/sites-enabled/default && nginx -t && systemctl restart nginx");
    expect((await get("unknown.test", "/")).status).toBe(404);
    expect((await get("10.0.0.1", "/.well-known/acme-challenge/token")).body).toBe("challenge\n");
    expect(await web.host.sh("curl -sS -g -o /dev/null -w '%{http_code}' 'http://[::1]/'")).toBe("404");
    expect(await withFacts()).toEqual([]);
  });

  describe("judged by nginx itself", () => {
    const text = (units: string): fc.Arbitrary<string> =>
      fc.string({ unit: fc.constantFrom(...units, "\\z", "php"), minLength: 1, maxLength: 12 });
    const nasty = fc.oneof(
      { weight: 60, arbitrary: text("ab/.*+?()[]{}|^\\\"'; #é~%,=&<>") },
      { weight: 1, arbitrary: text("a\n\t$\u0007\u007f") },
    );
    const pattern: fc.Arbitrary<PathPattern> = fc.oneof(
      nasty.map((exact) => ({ exact: `/${exact}` })),
      nasty.map((prefix) => ({ prefix: `/${prefix}/` })),
      nasty.map((segment) => ({ segment })),
      fc.tuple(nasty, nasty).map(([suffix, under]) => ({ suffix, under: `/${under}/` })),
    );
    const some = fc.array(pattern, { maxLength: 4 });
    const rules: fc.Arbitrary<WebRules> = fc.record({
      virtual: some,
      frontController: nasty.map((name) => `/${name}.php`),
      phpEntryPoints: some,
      phpIndexes: fc.array(
        nasty.map((name) => `/${name}/`),
        { maxLength: 2 },
      ),
      ownPaths: fc.array(
        nasty.map((name) => ({ prefix: `/${name}/` })),
        { maxLength: 2 },
      ),
      denied: some,
      cache: fc.array(fc.record({ match: pattern, maxAgeSeconds: fc.integer({ min: 0 }) }), { maxLength: 3 }),
      generated: some,
    });

    test("whatever a platform or a path holds is accepted as data or refused by us, never a broken configuration", async () => {
      const samples = fc.sample(fc.tuple(rules, nasty, nasty), { numRuns: 400, seed: 7 });
      const accepted = samples.flatMap(([one, root, title], index): HttpEntry[] => {
        const site = siteView(`s${index}`, one, { title });
        const paths = { ...site.paths, public: `/srv/${root}` };
        try {
          return [renderSite({ ...site, paths }, view)];
        } catch (error) {
          if (isHostwrightError(error) && error.code === "HW_QUOTE_REFUSED") return [];
          throw error;
        }
      });
      expect(accepted.length).toBeGreaterThan(40);
      expect(accepted.length).toBeLessThan(400);
      await web.put([], accepted);
      expect((await web.configTest()).said).toMatch(/syntax is ok\n.*test is successful/);
    });

    test("the longest names, long lists and many sites pass", async () => {
      const long = `${"a".repeat(63)}.${"b".repeat(63)}.${"c".repeat(63)}.${"d".repeat(57)}.test`;
      const denied = Array.from({ length: 600 }, (_, index) => ({ exact: `/some.long.path/number.${index}` }));
      const aliases = Array.from({ length: 500 }, (_, index) => `alias-${index}.big.test`);
      const big = siteView("big", { ...wordpressRules, denied }, { domain: long, aliases });
      const many = Array.from({ length: 1000 }, (_, index) => renderSite(siteView(`n${index}`, wordpressRules), view));
      const content = many.map((entry) => entry.content).join("\n");
      await web.put([big], [{ name: "many.conf", content }]);
      const started = performance.now();
      expect((await web.configTest()).said).toMatch(
        /^nginx: the configuration file \S+ syntax is ok\n.*test is successful\n$/,
      );
      console.log(`nginx -t with 1,001 sites: ${Math.round(performance.now() - started)} ms`);
    });
  });
});
