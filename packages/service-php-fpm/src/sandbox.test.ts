import type { SiteView } from "@hostwright/core/plugin";
import { expect, test } from "vitest";
import { sampleDatabase, sampleSite } from "../../../test/applications/sample-site.ts";
import { PhpFpmOptions } from "./options.ts";
import { sandbox } from "./sandbox.ts";
import { renderServiceUnit } from "./units.ts";

const options = PhpFpmOptions.parse({});
const values = (view: SiteView, name: string): string[] =>
  sandbox(view, options)
    .filter((property) => property[0] === name)
    .map((property) => property[1]);

const database = sampleDatabase;

test("the unit file holds exactly the sandbox that other commands of the site get", () => {
  const view = sampleSite({ bindings: { db: database } });
  const lines = renderServiceUnit(view, options).split("\n");
  for (const [name, value] of sandbox(view, options)) expect(lines).toContain(`${name}=${value.replaceAll("%", "%%")}`);
});

test("only the site's own folders can be written", () => {
  const view = sampleSite({
    bindings: { db: database },
    binds: [
      { source: "/srv/sites/s1aaaaaaaa/public/files", at: "/srv/platforms/s1aaaaaaaa/web/files", writable: true },
    ],
  });
  expect(values(view, "BindPaths").map((bind) => bind.split(":")[0])).toSatisfy((sources: string[]) =>
    sources.every((source) => /^\/srv\/sites\/s1aaaaaaaa\/(public|private|tmp)(\/|$)/.test(source)),
  );
  expect(values(view, "ProtectSystem")).toEqual(["strict"]);
  expect(values(view, "BindReadOnlyPaths")).toEqual(
    expect.arrayContaining(["/srv/platforms/s1aaaaaaaa", "/srv/sites/s1aaaaaaaa"]),
  );
});

test("temporary folders are the site's own", () => {
  expect(values(sampleSite(), "BindPaths")).toEqual(
    expect.arrayContaining(["/srv/sites/s1aaaaaaaa/tmp:/tmp", "/srv/sites/s1aaaaaaaa/tmp:/var/tmp"]),
  );
});

test("the folder of a local database's socket is visible, and none for a remote one", () => {
  expect(values(sampleSite({ bindings: { db: database } }), "BindReadOnlyPaths")).toContain("/run/mysqld");
  expect(values(sampleSite({ bindings: { db: { ...database, socket: null } } }), "BindReadOnlyPaths")).not.toContain(
    "/run/mysqld",
  );
});

test("folders of other sites and releases are emptied wherever they lie", () => {
  const home = "/data/sites/s1";
  const view = sampleSite({
    paths: { home, conf: `${home}/conf`, public: `${home}/public`, private: `${home}/private`, tmp: `${home}/tmp` },
  });
  expect(values(view, "TemporaryFileSystem")).toEqual(
    expect.arrayContaining(["/srv:ro", "/var:ro", "/run:ro", "/data/sites:ro"]),
  );
});

test("a release at the top of the disk is refused, since all of the disk would have to be emptied", () => {
  expect(() =>
    sandbox(sampleSite({ platform: { ...sampleSite().platform, root: "/wp", docroot: "/wp/web" } }), options),
  ).toThrow(/\/wp/);
});

test("memory is bounded by what all workers may use together", () => {
  const limits = { uploadMegabytes: 64, requestSeconds: 60, memoryMegabytes: 256, phpWorkers: 4 };
  expect(values(sampleSite({ limits }), "MemoryMax")).toEqual([`${4 * 256 + 128 + 64}M`]);
});

test("sockets are seen of what the site is bound to, and of nothing else", () => {
  const password = { ref: "secret", id: "p", label: "p" } as const;
  const cache = {
    protocol: "redis",
    host: "localhost",
    port: null,
    socket: "/run/redis/a.sock",
    user: "s",
    password,
    prefix: "s:",
  };
  const seen = (view: SiteView): string[] =>
    values(view, "BindReadOnlyPaths").filter((path) => /^\/run\/(redis|mysqld)/.test(path));
  expect(seen(sampleSite({ bindings: { db: database, cache } }))).toEqual(["/run/mysqld", "/run/redis"]);
  expect(seen(sampleSite({ bindings: { db: database } }))).toEqual(["/run/mysqld"]);
  expect(seen(sampleSite({ bindings: { cache: { ...cache, socket: null } } }))).toEqual([]);
});
