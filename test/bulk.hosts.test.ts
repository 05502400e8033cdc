import { expect, test } from "vitest";
import { verify, type Hostwright } from "@hostwright/core";
import { wordpress } from "@hostwright/platform-wordpress";
import { wordpressCodebases } from "./hosts/codebases.ts";
import { roundTrips, startFleet } from "./support/fleet.ts";
import { recordSites } from "./support/many-sites.ts";

async function tripsOf(hw: Hostwright, work: () => Promise<unknown>): Promise<number> {
  const before = await roundTrips(hw);
  await work();
  return (await roundTrips(hw)) - before;
}

test("a server's verify makes and checks thirty sites in as many round trips as three", async () => {
  await using fleet = await startFleet("one host");
  const { hw, web, stateDir } = fleet;
  const source = { path: (await wordpressCodebases())["6.8"] };
  await hw.platforms.put({ name: "wordpress", server: "web1", type: wordpress.platform(), source });
  await hw.run(verify("@wordpress"));
  await hw.run(verify("@web1"));

  const trips: { applied: number; checked: number }[] = [];
  for (const count of [3, 30]) {
    const sites = await recordSites(stateDir, "wordpress", count);
    const applied = await tripsOf(hw, async () => hw.run(verify("@web1")));
    const checked = await tripsOf(hw, async () => {
      expect((await hw.plan(verify("@web1"))).actions).toEqual([]);
    });
    trips.push({ applied, checked });
    const units = sites.map(({ id }) => `hostwright-php-${id}.socket`);
    expect((await web.exec(["systemctl", "is-active", "--quiet", ...units])).code).toBe(0);
  }
  expect(trips[1]).toEqual(trips[0]);
  expect(trips[0]?.checked).toBeLessThanOrEqual(10);
});
