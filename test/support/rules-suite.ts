import { describe, expect, test } from "vitest";
import { BAIT } from "./apps.ts";
import { asSite } from "./as-site.ts";
import { all, page, statuses } from "./page.ts";
import { agedSamples, deniedSamples, isOwn } from "./rule-samples.ts";
import type { Subject } from "./site-suite.ts";

const TYPES: Readonly<Record<string, RegExp>> = {
  css: /^text\/css(;|$)/,
  js: /^(?:text|application)\/javascript(;|$)/,
  svg: /^image\/svg\+xml(;|$)/,
  png: /^image\/png$/,
  jpg: /^image\/jpeg$/,
  woff2: /^font\/woff2$/,
};

const typeOf = (path: string): RegExp => TYPES[path.slice(path.lastIndexOf(".") + 1)] ?? /./;

/** What a platform asks of a web server by its rules, as the web server does it: the same of any. */
export function rulesSuite(name: string, subject: () => Subject): void {
  /** Puts a bait at each of those paths that are the site's own; the others lie in the release. */
  async function lay(paths: readonly string[]): Promise<void> {
    const { fleet, site, app } = subject();
    const own = paths.filter((path) => isOwn(app.rules, path));
    const script = `while IFS= read -r path; do mkdir -p "public$(dirname "$path")" && echo ${BAIT} > "public$path"; done`;
    await asSite(fleet.web, site, script, `${own.join("\n")}\n`);
  }

  async function phpRuns(): Promise<boolean> {
    const { fleet, site } = subject();
    const { stdout } = await fleet.web.exec(["systemctl", "is-active", `hostwright-php-${site.id}.service`]);
    return stdout === "active\n";
  }

  describe(`${name}: what its platform asks of a web server`, () => {
    test("whatever is denied, always or by the platform, is answered with 404", async () => {
      const { fleet, site, app } = subject();
      const paths = deniedSamples(app.rules);
      expect(paths.length).toBeGreaterThan(120);
      await lay(paths);
      expect(await statuses(fleet.web, site.domain, paths, BAIT)).toEqual(all(paths, "404"));
    });

    test("files have their type and age, and none of them needs PHP", async () => {
      const { fleet, site, app } = subject();
      const aged = agedSamples(app.rules);
      expect(aged.length).toBeGreaterThan(3);
      const picture = `${app.uploads}/aged-bait.jpg`;
      await lay([...aged.map(({ path }) => path), picture]);
      await fleet.web.sh(`systemctl stop hostwright-php-${site.id}.service 2>/dev/null`);
      const get = async (path: string): Promise<readonly unknown[]> => {
        const { status, body, type, headers } = await page(fleet.web, site.domain, path);
        return [path, status, body, type, headers["cache-control"], headers["x-content-type-options"]];
      };
      for (const { path, seconds } of aged) {
        const age = `max-age=${seconds}`;
        const answer = [path, 200, `${BAIT}\n`, expect.stringMatching(typeOf(path)), age, "nosniff"];
        expect(await get(path)).toEqual(answer);
      }
      expect((await get(picture)).slice(0, 4)).toEqual([picture, 200, `${BAIT}\n`, "image/jpeg"]);
      const { status, type, body } = await page(fleet.web, site.domain, app.staticFile);
      expect([status, type, body.includes(BAIT)]).toEqual([200, expect.stringMatching(typeOf(app.staticFile)), false]);
      expect(await phpRuns()).toBe(false);
      await page(fleet.web, site.domain, "/");
      expect(await phpRuns()).toBe(true);
    });
  });
}
