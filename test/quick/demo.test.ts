import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { CHOICES, pairs } from "../../demo/choices.ts";
import { parseOptions } from "../../demo/options.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));

const all = Object.keys(CHOICES.db).flatMap((db) =>
  Object.keys(CHOICES.platform).map((platform) => ({ db, platform })),
);
const goes = ({ db, platform }: (typeof all)[number]): boolean =>
  pairs().some((pair) => pair.db === db && pair.platform === platform);

describe("what the demo is made of", () => {
  test("the plugins say which databases go with which platform", () => {
    expect(all.filter((pair) => !goes(pair))).toEqual([{ db: "postgres", platform: "wordpress" }]);
  });

  test.each(all.filter(goes))("$platform on $db, by either web server", ({ db, platform }) => {
    for (const http of Object.keys(CHOICES.http))
      expect(parseOptions(["--http", http, "--db", db, "--platform", platform])).toMatchObject({ http, db, platform });
  });

  test.each(Object.keys(CHOICES.platform))("%s without a database named takes the one that it prefers", (platform) => {
    expect(parseOptions(["--platform", platform]).db).toBe("mysql");
  });

  test.each([
    { given: ["--http", "iis"], said: 'no http "iis"' },
    { given: ["--db", "toString"], said: 'no db "toString"' },
    { given: ["--platform", "joomla"], said: 'no platform "joomla"' },
  ])("$given is refused with what there is", ({ given, said }) => {
    expect(() => parseOptions(given)).toThrow(said);
    expect(() => parseOptions(given)).toThrow("--http nginx|apache");
  });

  test.each(all.filter((pair) => !goes(pair)))(
    "$platform on $db is refused with the pairs that go, before anything is started",
    ({ db, platform }) => {
      const argv = ["--conditions=@hostwright/source", "demo/run.ts", "--db", db, "--platform", platform];
      const { status, stdout, stderr } = spawnSync(process.execPath, argv, { cwd: root, encoding: "utf8" });
      const those = pairs().map((pair) => `--db ${pair.db} --platform ${pair.platform}`);
      expect(those).toHaveLength(5);
      expect([status, stdout, stderr.match(/--db .*/g)]).toEqual([1, "", those]);
      expect(stderr).toContain(`${platform} does not run on ${db}`);
    },
  );
});
