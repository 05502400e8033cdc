import { verify, type HostwrightEvent } from "@hostwright/core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { FIRST, LivingServer } from "./support/living-server.ts";
import { page } from "./support/page.ts";

const ENTRIES = "/etc/hostwright/nginx/entries";

let living: LivingServer;
let entry = "";
let owner = "";

beforeAll(async () => {
  living = await LivingServer.start();
  const { id } = await living.hw.sites.get(FIRST);
  [entry, owner] = [`${id}.conf`, `site/${id}`];
});

afterAll(async () => living?.[Symbol.asyncDispose]());

test("a site's broken entry stops no other site; the operator learns which and why, and its own verify repairs it", async () => {
  const { hw, host } = living;
  await host.sh(`echo 'nonsense on;' > ${ENTRIES}/${entry}`);
  const events: HostwrightEvent[] = [];
  await hw.run(living.install("new.example.com"), { onEvent: (event) => void events.push(event) });
  expect((await page(host, "new.example.com", "/")).status).toBe(200);
  expect((await page(host, FIRST, "/")).status).toBe(200);
  const told = events.filter((event) => event.type === "publication:quarantined").map(({ payload }) => payload);
  const reason = expect.stringContaining('unknown directive "nonsense"');
  expect(told[0]).toMatchObject({ server: "web1", service: "http", entries: [{ name: entry, owner, reason }] });

  // Of a neighbour's plan it is no part; the server's and its own say it, and set it right.
  const neighbour = await hw.plan(verify("new.example.com"));
  expect(neighbour.empty).toBe(true);
  for (const alias of ["@web1", FIRST]) {
    const plan = await hw.plan(verify(alias));
    const told = JSON.stringify(plan.value.problems);
    expect([alias, told]).toEqual([
      alias,
      expect.stringMatching(new RegExp(`${entry} of ${FIRST}.*unknown directive`)),
    ]);
    expect(plan.render()).toContain(`~ file ${ENTRIES}/${entry}`);
  }
  await hw.run(verify(FIRST));
  const after = await hw.plan(verify("@web1"));
  expect([after.empty, JSON.stringify(after.value.problems)]).toEqual([true, expect.not.stringContaining(entry)]);
  await living.host.sh(`[ ! -e ${ENTRIES}/../held ]`);
});
