import { isHostwrightError, referencesOf, resolveText, showText, type SiteView } from "@hostwright/core/plugin";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { sampleDatabase, sampleSite } from "../../../test/applications/sample-site.ts";
import { DrupalSiteOptions } from "./options.ts";
import { hostPattern, settings } from "./settings.ts";
import { ANY_CHARACTER } from "../../testing/src/any-character.ts";

const options = DrupalSiteOptions.parse({});
const site = (change: Partial<SiteView> = {}): SiteView =>
  sampleSite({ options, bindings: { db: sampleDatabase }, ...change });

function content(view: SiteView): Parameters<typeof showText>[0] {
  const [file, ...others] = settings(view);
  if (file === undefined || others.length > 0) throw new Error("not one settings file");
  return file.content;
}

/** The single-quoted literal assigned to a key, as a reader of PHP finds it. */
function assigned(source: string, key: string): string | undefined {
  const literal = new RegExp(String.raw`\['${key}'\] = '((?:[^\\']|\\.)*)';\n`, "s").exec(source)?.[1];
  return literal?.replace(/\\([\\'])/g, "$1");
}

test("any password, salt and database name arrive in PHP as they are", () => {
  fc.assert(
    fc.property(fc.string({ unit: ANY_CHARACTER }), fc.string({ unit: "grapheme-ascii" }), (secret, name) => {
      fc.pre(!secret.includes("\0"));
      const source = resolveText(content(site({ bindings: { db: { ...sampleDatabase, name } } })), () => secret);
      expect(assigned(source, "password")).toBe(secret);
      expect(assigned(source, "hash_salt")).toBe(secret);
      expect(assigned(source, "database")).toBe(name);
    }),
  );
});

test("secrets are references and never text", () => {
  expect(referencesOf(content(site())).map((reference) => [reference.label, reference.quote])).toEqual([
    ["db password", "php"],
    ["hash salt", "php"],
  ]);
});

test("the driver is named by its namespace, with the path that its classes are loaded from", () => {
  const source = showText(content(site()));
  expect(assigned(source, "namespace")).toBe(String.raw`Drupal\mysql\Driver\Database\mysql`);
  expect(assigned(source, "autoload")).toBe("core/modules/mysql/src/Driver/Database/mysql/");
});

test("a database is reached by its socket, or by host and port", () => {
  const remote = showText(
    content(site({ bindings: { db: { ...sampleDatabase, socket: null, host: "db1", port: 3307 } } })),
  );
  expect(assigned(showText(content(site())), "unix_socket")).toBe("/run/mysqld/mysqld.sock");
  expect([assigned(remote, "host"), assigned(remote, "unix_socket")]).toEqual(["db1", undefined]);
  expect(remote).toContain("['port'] = 3307;");
});

test("a trusted host is that host and no other", () => {
  const domains = fc.domain();
  fc.assert(
    fc.property(domains, domains, (domain, other) => {
      const pattern = new RegExp(hostPattern(domain), "i");
      expect(pattern.test(domain)).toBe(true);
      expect(
        pattern.test(`x${domain}`) || pattern.test(`${domain}.evil.example`) || pattern.test(domain.replace(".", "x")),
      ).toBe(false);
      expect(pattern.test(other)).toBe(other === domain);
    }),
  );
});

test("a wildcard alias covers what is below it and not the name itself", () => {
  const pattern = new RegExp(hostPattern("*.example.com"));
  expect(["a.example.com", "a.b.example.com"].every((host) => pattern.test(host))).toBe(true);
  expect(["example.com", "example.com.evil", "aexample.com", "axexample.com"].some((host) => pattern.test(host))).toBe(
    false,
  );
});

test("aliases are trusted as the main domain is", () => {
  expect(showText(content(site({ aliases: ["www.example.net"] })))).toContain(String.raw`'^www\\.example\\.net$'`);
});

test("a site without a database is refused", () => {
  let caught: unknown;
  try {
    settings(site({ bindings: {} }));
  } catch (error) {
    caught = error;
  }
  expect(isHostwrightError(caught) && caught.code).toBe("HW_SERVICE_UNFIT");
});

test("a cache that it is bound to is told by socket or address, its password as a reference", () => {
  const password = { ref: "secret", id: "site/s1aaaaaaaa/cache-password", label: "cache password" } as const;
  const cache = { protocol: "redis", host: "10.0.0.2", port: 6380, socket: null, user: "s1", password, prefix: "s1:" };
  const apart = resolveText(content(site({ bindings: { db: sampleDatabase, cache } })), ({ label }) => `it's ${label}`);
  expect(apart).toContain("['host'] = '10.0.0.2';\n$settings['redis.connection']['port'] = 6380;\n");
  expect(apart).toContain(String.raw`['password'] = ['s1', 'it\'s cache password'];`);
  expect(assigned(apart, "cache_prefix")).toBe("s1:");
  const near = showText(
    content(site({ bindings: { db: sampleDatabase, cache: { ...cache, port: null, socket: "/run/redis/a.sock" } } })),
  );
  expect(near).toContain("['host'] = '/run/redis/a.sock';\n$settings['redis.connection']['port'] = 0;\n");
  expect(showText(content(site()))).not.toContain("redis");
});
