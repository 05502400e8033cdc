import { cp, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { HostwrightError, install, secret, type InstallOptions } from "@hostwright/core";
import { CONTRACT, defineDatabaseService } from "@hostwright/core/plugin";
import { wordpress } from "@hostwright/platform-wordpress";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import * as z from "zod";
import { makeKeyPair } from "../packages/testing/src/containers/keys.ts";
import { BAD_DOMAINS } from "./support/bad-domains.ts";
import { FIRST, FIRST_ALIAS, LivingServer } from "./support/living-server.ts";
import { expectRefusal, expectRefusedAtPlanning, type Expected } from "./support/refusal.ts";
import { underLoad } from "./support/under-load.ts";

/** A database that no platform here speaks to. */
const otherDatabase = defineDatabaseService({
  name: "test-database-other",
  contract: CONTRACT,
  type: "otherdb",
  options: { version: 1, schema: z.strictObject({}) },
  packages: () => [],
  facts: () => ({}),
  problems: () => [],
  role: {
    protocol: "other",
    server: () => [],
    site: () => [],
    binding: () => {
      throw new HostwrightError("HW_INTERNAL", "no site may come as far as this");
    },
  },
});

let living: LivingServer;
let folder: string;

beforeAll(async () => {
  living = await LivingServer.start({ plugins: [otherDatabase] });
  folder = await mkdtemp(join(tmpdir(), "hostwright-refusals-"));
});

afterAll(async () => {
  await living?.[Symbol.asyncDispose]();
  if (folder !== undefined) await rm(folder, { recursive: true, force: true });
});

describe("a domain", () => {
  test.each(BAD_DOMAINS)("%s is refused, as main domain and as alias", async (_what, domain, expected) => {
    await expectRefusal(living, async () => living.hw.plan(living.install(domain)), expected);
    await expectRefusal(
      living,
      async () => living.hw.plan(living.install("new.example.com", { aliases: [domain] })),
      expected,
    );
  });

  test("that was refused has changed nothing", async () => {
    await living.expectUnharmed();
  });

  const taken: readonly (readonly [what: string, domain: string, aliases: readonly string[], name: string])[] = [
    ["main domain that is another's alias", FIRST_ALIAS, [], FIRST_ALIAS],
    ["alias that is another's main domain", "new.example.com", [FIRST], FIRST],
    ["alias that is another's alias", "new.example.com", [FIRST_ALIAS], FIRST_ALIAS],
    ["main domain in other letters", "FIRST.Example.COM.", ["new.example.com"], FIRST],
    ["main domain that another site has, with other aliases", FIRST, ["new.example.com"], FIRST],
  ];
  test.each(taken)("is refused when it is taken: %s", async (_what, domain, aliases, name) => {
    const request = living.install(domain, { aliases });
    await expectRefusedAtPlanning(living, request, { code: "HW_DOMAIN_TAKEN", names: [name] });
  });

  test("that an administrator's file serves is refused with the name of that file", async () => {
    const file = "/etc/nginx/conf.d/shop.conf";
    await living.host.sh(
      `printf 'server { listen 80; server_name shop.example.com www.shop.example.com; }\n' > ${file}`,
    );
    await living.remember();
    const expected = { code: "HW_NAME_TAKEN", names: [file, "www.shop.example.com"] } as const;
    await expectRefusedAtPlanning(living, living.install("www.shop.example.com"), expected);
    await expectRefusedAtPlanning(
      living,
      living.install("new.example.com", { aliases: ["www.shop.example.com"] }),
      expected,
    );
    await living.host.sh(`rm ${file}`);
    await living.remember();
  });
});

describe("an unknown", () => {
  const request = async (options: unknown): Promise<unknown> =>
    living.hw.plan(install("new.example.com", options as InstallOptions));

  test("platform type is refused by name", async () => {
    const work = async (): Promise<unknown> =>
      living.hw.platforms.put({ name: "blog", server: "web1", type: { type: "ghost", options: {} } });
    await expectRefusal(living, work, { code: "HW_PLATFORM_UNKNOWN", names: ["ghost", "wordpress"] });
  });

  test("service type is refused by name", async () => {
    const services = [{ kind: "http", type: "lighttpd", options: {} }];
    const work = async (): Promise<unknown> => living.hw.servers.put({ name: "web1", services });
    await expectRefusal(living, work, { code: "HW_SERVICE_UNKNOWN", names: ["lighttpd", "nginx"] });
  });

  test("platform record, server or database is refused by name", async () => {
    await expectRefusal(living, async () => request({ platform: "nowhere" }), {
      code: "HW_NOT_FOUND",
      names: ["nowhere"],
    });
    const database = async (name: string): Promise<unknown> =>
      request({ platform: "wordpress", bindings: { db: name } });
    await expectRefusal(living, async () => database("db9"), { code: "HW_NOT_FOUND", names: ["db9"] });
    await expectRefusal(living, async () => database("web1:nodb"), {
      code: "HW_SERVICE_MISSING",
      names: ["web1", "nodb"],
    });
  });

  test("option is refused with its name, wherever it stands", async () => {
    const expected = (...names: string[]): Expected => ({ code: "HW_INPUT_INVALID", names });
    await expectRefusal(living, async () => request({ platform: "wordpress", colour: "red" }), expected("colour"));
    await expectRefusal(
      living,
      async () => request({ platform: "wordpress", options: { type: "wordpress", options: { theme: "x" } } }),
      expected("theme", "new.example.com"),
    );
    await expectRefusal(
      living,
      async () => request({ platform: "wordpress", limits: { phpWorkers: 0 } }),
      expected("phpWorkers"),
    );
    const service = { kind: "http", type: "nginx", options: { workers: 9 } };
    await expectRefusal(
      living,
      async () => living.hw.servers.put({ name: "web1", services: [service] }),
      expected("workers", "web1"),
    );
    await expectRefusal(
      living,
      async () => living.hw.plan(living.hw.request({ type: "site:teleport" })),
      expected("site:teleport", "site:install"),
    );
  });

  test("thing that was refused has changed nothing", async () => {
    await living.expectUnharmed();
  });
});

describe("what does not go together", () => {
  test("options of another platform type are refused with both names", async () => {
    const options = { type: "drupal", options: { profile: "standard" } };
    const expected = { code: "HW_INPUT_INVALID", names: ["drupal", "wordpress"] } as const;
    await expectRefusedAtPlanning(living, living.install("new.example.com", { options }), expected);
  });

  test("platform and database that do not: the refusal lists what goes", async () => {
    await living.hw.servers.put({ name: "db2", connect: living.connection(), services: [otherDatabase.service()] });
    await living.remember();
    const expected = { code: "HW_SERVICE_UNFIT", names: ["wordpress", "otherdb", "mysql"] } as const;
    const error = await expectRefusedAtPlanning(
      living,
      living.install("new.example.com", { bindings: { db: "db2" } }),
      expected,
    );
    expect(error.data).toMatchObject({ kind: "db", protocols: ["mysql"] });
  });

  test("a language that the release does not hold is refused when it is planned, published or not", async () => {
    const source = { path: living.codebases["6.1"] };
    await living.hw.platforms.put({ name: "unpublished", server: "web1", type: wordpress.platform(), source });
    await living.remember();
    for (const platform of ["wordpress", "unpublished"]) {
      const options = wordpress.site({ locale: "xx_YY" });
      const expected = { code: "HW_INPUT_INVALID", names: [platform, "xx_YY"] } as const;
      await expectRefusedAtPlanning(living, living.install("new.example.com", { platform, options }), expected);
    }
  });

  test("a source that is not the platform's is refused when it is put, with platform and path", async () => {
    const source = join(folder, "no-wordpress");
    await mkdir(source);
    await writeFile(join(source, "index.php"), "<?php echo 1;");
    for (const [path, word] of [
      [source, "not a wordpress codebase"],
      [join(folder, "gone"), "does not exist"],
      ["/etc/passwd", "no folder"],
    ] as const) {
      const platform = { name: "empty", server: "web1", type: wordpress.platform(), source: { path } };
      const expected = { code: "HW_PLATFORM_INVALID", names: ["empty", path, word] } as const;
      await expectRefusal(living, async () => living.hw.platforms.put(platform), expected);
    }
  });

  test("a source that went away since is refused when it is planned, with platform and path", async () => {
    const path = join(folder, "leaving");
    await cp(living.codebases["6.8"], path, { recursive: true });
    await living.hw.platforms.put({ name: "leaving", server: "web1", type: wordpress.platform(), source: { path } });
    await rm(path, { recursive: true });
    await living.remember();
    const expected = { code: "HW_PLATFORM_INVALID", names: ["leaving", path, "does not exist"] } as const;
    await expectRefusedAtPlanning(living, living.install("new.example.com", { platform: "leaving" }), expected);
  });
});

describe("a path in a name", () => {
  const attacks = [
    "../web1",
    "a/b",
    "..",
    ".",
    "/etc",
    "a\0b",
    "a\nb",
    "A",
    "",
    "a;reboot",
    "$(reboot)",
    "-rf",
    "x".repeat(64),
  ];

  test.each(attacks)("%j is no name of a platform or server", async (name) => {
    const expected = { code: "HW_INPUT_INVALID", names: ["name"] } as const;
    const platform = { name, server: "web1", type: wordpress.platform(), source: { path: folder } };
    await expectRefusal(living, async () => living.hw.platforms.put(platform), expected);
    await expectRefusal(living, async () => living.hw.servers.put({ name, connect: living.connection() }), expected);
    const service = { kind: "http", type: "nginx", options: {}, name };
    await expectRefusal(living, async () => living.hw.servers.put({ name: "web1", services: [service] }), expected);
  });

  test.each(["../srv", "srv/x", "/srv/../etc", "/srv/x y", "/srv/$(reboot)", "/srv/x\n", "/", ""])(
    "%j is no root of a platform",
    async (root) => {
      const platform = { name: "climber", server: "web1", root, type: wordpress.platform(), source: { path: folder } };
      await expectRefusal(living, async () => living.hw.platforms.put(platform), {
        code: "HW_INPUT_INVALID",
        names: ["root"],
      });
    },
  );

  test.each(["../../etc", "a'; drop table x", "wp_\0", "$(id)"])(
    "%j is no table prefix, locale or administrator",
    async (value) => {
      const expected = (field: string): Expected => ({ code: "HW_INPUT_INVALID", names: [field] });
      const request = async (options: Partial<InstallOptions>): Promise<unknown> =>
        living.hw.plan(living.install("new.example.com", options));
      const site = (options: unknown): Partial<InstallOptions> => ({ options: { type: "wordpress", options } });
      await expectRefusal(living, async () => request(site({ tablePrefix: value })), expected("tablePrefix"));
      await expectRefusal(living, async () => request(site({ locale: value })), expected("locale"));
      await expectRefusal(living, async () => request({ adminUser: value }), expected("adminUser"));
    },
  );

  test("that was refused has changed nothing", async () => {
    await living.expectUnharmed();
  });

  test("of a release that stands there already and is not ours is refused, and left as it is", async () => {
    await living.host.sh("mkdir -p /srv/platforms/old && echo kept > /srv/platforms/old/file");
    await living.hw.platforms.put({
      name: "old",
      server: "web1",
      type: wordpress.platform(),
      source: { path: living.codebases["6.1"] },
    });
    await living.remember();
    const expected = { code: "HW_RESOURCE_FOREIGN", names: ["/srv/platforms/old", "web1"] } as const;
    await expectRefusedAtPlanning(living, living.install("new.example.com", { platform: "old" }), expected);
  });
});

describe("a server", () => {
  async function broken(
    name: string,
    changes: Parameters<LivingServer["connection"]>[0],
    expected: Expected,
  ): Promise<void> {
    await living.hw.servers.put({
      name,
      connect: living.connection(changes),
      services: (await living.hw.servers.get("web1")).services.map(({ kind, type, options }) => ({
        kind,
        type,
        options,
      })),
    });
    await living.hw.platforms.put({
      name: `on-${name}`,
      server: name,
      type: wordpress.platform(),
      source: { path: living.codebases["6.8"] },
    });
    await living.remember();
    const request = living.install("new.example.com", { platform: `on-${name}`, bindings: { db: name } });
    const started = performance.now();
    await expectRefusedAtPlanning(living, request, expected);
    expect(performance.now() - started).toBeLessThan(underLoad(30_000));
  }

  test("with another host key than the recorded one is refused, and both are named", async () => {
    const hostKey = `SHA256:${"A".repeat(43)}`;
    await broken(
      "impostor",
      { hostKey },
      { code: "HW_SSH_HOST_KEY", names: ["impostor", hostKey, living.host.hostKey] },
    );
  });

  test("that does not accept the key is refused with its user", async () => {
    const { privateKey } = await makeKeyPair("nobody knows me");
    await broken(
      "locked",
      { privateKey: secret(privateKey) },
      { code: "HW_SSH_AUTH", names: ["locked", "root", living.host.address] },
    );
  });

  test("on which nothing listens is refused with address and port", async () => {
    await broken("deaf", { port: 2222 }, { code: "HW_SSH_UNREACHABLE", names: ["deaf", living.host.address, "2222"] });
  });

  test("that is not there is refused with its address", async () => {
    const host = living.host.address.replace(/\d+$/, "250");
    await broken("nowhere", { host }, { code: "HW_SSH_UNREACHABLE", names: ["nowhere", host] });
  });

  test("whose name does not resolve is refused with that name", async () => {
    await broken(
      "misspelt",
      { host: "web1.invalid" },
      { code: "HW_SSH_UNREACHABLE", names: ["misspelt", "web1.invalid"] },
    );
  });

  test("without a service that the site needs is refused with its name and kind", async () => {
    await living.hw.servers.put({ name: "bare", connect: living.connection(), services: [] });
    await living.hw.platforms.put({
      name: "on-bare",
      server: "bare",
      type: wordpress.platform(),
      source: { path: living.codebases["6.8"] },
    });
    await living.remember();
    const request = living.install("new.example.com", { platform: "on-bare", bindings: { db: "web1" } });
    await expectRefusedAtPlanning(living, request, { code: "HW_SERVICE_MISSING", names: ["bare", "http"] });
  });
});
