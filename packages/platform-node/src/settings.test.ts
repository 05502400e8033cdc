import {
  isHostwrightError,
  resolveText,
  showText,
  type CacheBinding,
  type DatabaseBinding,
  type SiteView,
} from "@hostwright/core/plugin";
import { hostileTexts } from "@hostwright/testing";
import { expect, test } from "vitest";
import { sampleDatabase, sampleSite } from "../../../test/applications/sample-site.ts";
import { settings } from "./settings.ts";

const password = { ref: "secret", id: "site/s1aaaaaaaa/cache-password", label: "cache password" } as const;
const cache: CacheBinding = {
  protocol: "redis",
  host: "10.0.0.2",
  port: 6379,
  socket: null,
  user: "s1aaaaaaaa",
  password,
  prefix: "s1aaaaaaaa:",
};

function fileOf(view: SiteView, secret = "hush"): string {
  const [file, ...others] = settings(view);
  expect([file?.path, others]).toEqual(["env", []]);
  return resolveText(file?.content ?? "", () => secret);
}

/** As systemd reads `EnvironmentFile=`; null for what is no line of one double-quoted value. */
function variables(text: string): Record<string, string> | null {
  const entries = text
    .trimEnd()
    .split("\n")
    .filter((line) => !line.startsWith("#"))
    .map((line) => /^([A-Z_]+)="((?:[^"\\`$]|\\["\\`$])*)"$/su.exec(line));
  if (entries.includes(null)) return null;
  return Object.fromEntries(
    entries.map((found) => [found?.[1] ?? "", (found?.[2] ?? "").replaceAll(/\\(.)/gsu, "$1")] as const),
  );
}

test("a site without services has its address, its id and its folder for data", () => {
  expect(variables(fileOf(sampleSite()))).toEqual({
    SITE_ID: "s1aaaaaaaa",
    SITE_URL: "http://s1aaaaaaaa.test",
    DATA_DIR: "/srv/sites/s1aaaaaaaa/private",
  });
});

test("what it is bound to comes in pieces, by socket or by host and port", () => {
  expect(variables(fileOf(sampleSite({ bindings: { db: sampleDatabase, cache } })))).toMatchObject({
    DB_PROTOCOL: "mysql",
    DB_SOCKET: "/run/mysqld/mysqld.sock",
    DB_NAME: "s1aaaaaaaa",
    DB_USER: "s1aaaaaaaa",
    DB_PASSWORD: "hush",
    CACHE_PROTOCOL: "redis",
    CACHE_HOST: "10.0.0.2",
    CACHE_PORT: "6379",
    CACHE_PREFIX: "s1aaaaaaaa:",
  });
  const remote: DatabaseBinding = { ...sampleDatabase, socket: null, host: "db.example", port: null };
  const read = variables(fileOf(sampleSite({ bindings: { db: remote } })));
  expect(read).toMatchObject({ DB_HOST: "db.example" });
  expect(Object.keys(read ?? {})).not.toContain("DB_SOCKET");
  expect(Object.keys(read ?? {})).not.toContain("DB_PORT");
});

test("a password is a reference wherever it is shown", () => {
  const [file] = settings(sampleSite({ bindings: { db: sampleDatabase, cache } }));
  expect(showText(file?.content ?? "")).toContain("DB_PASSWORD=<db password>\n");
  expect(showText(file?.content ?? "")).toContain("CACHE_PASSWORD=<cache password>\n");
});

test.each(hostileTexts().map((value) => [value]))("%j is read as it is by the program, or refused", (value) => {
  const db: DatabaseBinding = { ...sampleDatabase, host: value, socket: null, user: value, name: value };
  try {
    const read = variables(fileOf(sampleSite({ domain: value, bindings: { db } }), value));
    expect(read).toMatchObject({ DB_HOST: value, DB_NAME: value, DB_PASSWORD: value, SITE_URL: `http://${value}` });
  } catch (error) {
    if (!isHostwrightError(error)) throw error;
    expect(error.code).toBe("HW_QUOTE_REFUSED");
  }
});
