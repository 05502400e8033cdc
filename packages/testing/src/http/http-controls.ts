import { strict as assert } from "node:assert";
import type { Check } from "../check.ts";
import type { Answer, HttpBench } from "./http-bench.ts";
import { entriesOf, siteLike, withEntries } from "./http-entries.ts";
import { wordpressRules } from "./http-samples.ts";
import { location } from "./http-table.ts";

/** %00 to %1F and %7F: what some web servers take in no path at all. */
// oxlint-disable-next-line no-control-regex -- they are meant
export const hasControls = (path: string): boolean => /[\u0000-\u001f\u007f]/.test(path);

const SIGNS = ["%01", "%07", "%09", "%0A", "%0D", "%1B", "%1F", "%7F"];
/** Each behind something that a rule closes, opens or runs. */
const AROUND = [
  "/wp-login.php_",
  "/readme.html_",
  "/wp-content/uploads/a_.sql",
  "/wp-content/uploads/x.php_",
  "/._env",
];

const secretless = ({ body }: Answer, path: string): void =>
  assert.doesNotMatch(body, /^(?:own|git|release|secret source|php .*wp-login\.php )/, path);

/** Paths with control characters are judged like others, or refused as a whole where the web server is declared to do so. */
export const controlChecks: readonly Check<HttpBench>[] = [
  {
    name: "a path with a control character opens nothing that is closed, and runs no other script",
    async run(bench) {
      for (const path of AROUND.flatMap((around) => ["%00", ...SIGNS].map((sign) => around.replace("_", sign)))) {
        const answer = await bench.get("wordpress.test", path);
        assert.ok([200, 400, 403, 404].includes(answer.status), `${answer.status}: ${path}`);
        secretless(answer, path);
      }
    },
  },
  {
    name: "a path with a control character is judged like any other",
    needs: "controlCharacters",
    async run(bench) {
      const page = await bench.get("wordpress.test", "/wp-login.php%0A");
      assert.deepEqual(
        [page.status, page.body],
        [200, "php /srv/platforms/wordpress/web/index.php  /wp-login.php%0A\n"],
      );
      assert.equal((await bench.get("wordpress.test", "/wp-content/uploads/a%0A.sql")).status, 404);
      const moved = await bench.get("ruled.test", "/blog/2019/c%0ad?e=f");
      assert.deepEqual(
        [moved.status, location(moved, "http://ruled.test/")],
        [307, "http://ruled.test/archive/c%0ad?e=f"],
      );
      const denied = SIGNS.map((sign) => `/d${sign}e`);
      const rules = { ...wordpressRules, denied: denied.map((path) => ({ exact: decodeURIComponent(path) })) };
      await withEntries(bench, entriesOf(bench, siteLike("denying", { rules })), async () => {
        await bench.publish();
        for (const path of denied) {
          assert.equal((await bench.get("denying.test", path)).status, 404, path);
          assert.equal((await bench.get("denying.test", `${path}z`)).status, 200, `${path}, and a letter`);
        }
      });
    },
  },
];
