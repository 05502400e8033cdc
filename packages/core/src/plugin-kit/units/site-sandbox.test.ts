import { expect, test } from "vitest";
import { sampleDatabase, sampleSite } from "../../../../../test/applications/sample-site.ts";
import type { SiteView } from "../../contracts/views.ts";
import { siteSandbox, type SandboxNeeds } from "./site-sandbox.ts";

const RINGS = "io_uring_setup io_uring_enter io_uring_register";
const NEEDS: SandboxNeeds = { memoryMegabytes: 512, tasks: 64 };
const values = (view: SiteView, name: string, needs: SandboxNeeds = NEEDS): string[] =>
  siteSandbox(view, needs)
    .filter((property) => property[0] === name)
    .map((property) => property[1]);

const database = sampleDatabase;

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
    siteSandbox(sampleSite({ platform: { ...sampleSite().platform, root: "/wp", docroot: "/wp/web" } }), NEEDS),
  ).toThrow(/\/wp/);
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

test("memory and tasks are those of the runtime", () => {
  const view = sampleSite();
  expect([...values(view, "MemoryMax"), ...values(view, "MemorySwapMax")]).toEqual(["512M", "512M"]);
  expect(values(view, "TasksMax")).toEqual(["64"]);
});

test("a file of the runtime is seen where it is there, and one that cannot be named safely is refused", () => {
  const readable = (path: string): SandboxNeeds => ({ ...NEEDS, readable: [path] });
  expect(values(sampleSite(), "BindReadOnlyPaths", readable("/etc/hostwright/x.conf"))).toContain(
    "-/etc/hostwright/x.conf",
  );
  expect(() => siteSandbox(sampleSite(), readable("/etc/x:/etc/shadow"))).toThrow(
    expect.objectContaining({ code: "HW_QUOTE_REFUSED" }),
  );
});

test("no site listens, whatever it is told about it", () => {
  const filters = (needs: SandboxNeeds): string[] => values(sampleSite(), "SystemCallFilter", needs);
  expect(filters(NEEDS)).toEqual(["@system-service", `~bind listen ${RINGS}`]);
  expect(filters({ ...NEEDS, listen: "success" })).toEqual(["@system-service", `~bind ${RINGS}`, "~listen:0"]);
  expect(values(sampleSite(), "SystemCallErrorNumber", { ...NEEDS, listen: "success" })).toEqual(["EPERM"]);
});

test.each(["/run/search.sock", "/tmp/x.sock", "/srv/x.sock", "/srv/sites/x.sock", "/x.sock"])(
  "a socket at %s is refused: its folder is shown with all that others have there",
  (socket) => {
    const view = sampleSite({ bindings: { db: { ...database, socket } } });
    expect(() => siteSandbox(view, NEEDS)).toThrow(expect.objectContaining({ code: "HW_QUOTE_REFUSED" }));
  },
);
