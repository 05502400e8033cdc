import { changeSite, CONTRACT, defineTask, NO_OWN_RULES, OwnRulesSchema, parseInput } from "@hostwright/core/plugin";
import {
  probeSteps,
  refuseProblems,
  siteParts,
  siteSteps,
  type Plugin,
  type SiteRecord,
} from "@hostwright/core/plugin";
import * as z from "zod";

const suspend = defineTask({
  type: "site:suspend",
  version: 1,
  input: z.strictObject({ site: z.string(), notice: z.string().nullable() }),
  value: z.strictObject({ site: z.string(), status: z.int() }),
  request: (site: string, notice: string | null = null) => ({ site, notice }),
  title: ({ site }) => `suspend ${site}`,
  subject: ({ site }) => ({ site }),
  async plan(context, { site: name, notice }) {
    const site = await context.inventory.site(name);
    const changed = suspended(site, notice);
    const parts = await siteParts(context, changed); // of the site as it will be
    const servers = parts.heads.map(({ server }) => server);
    await refuseProblems(context, servers);
    const { before, publish } = siteSteps(parts);
    return {
      title: `suspend ${site.domain}`,
      about: [`site/${site.id}`],
      steps: [...publish, ...before, ...probeSteps(parts, "changed")], // its pages first: then nobody misses what stops
      commit: changeSite(context, changed),
      value: { site: site.id, status: notice === null ? 503 : 302 },
    };
  },
});

/** Without a notice it answers 503 and its code stops; else every page leads to the notice. */
function suspended(site: SiteRecord, notice: string | null): SiteRecord {
  if (notice === null) return { ...site, enabled: false };
  const asked = { redirects: [{ from: { prefix: "/" }, to: notice, status: 302 }] };
  const rules = parseInput(OwnRulesSchema, asked, `suspend ${site.domain}: notice`);
  return { ...site, webRules: { ...NO_OWN_RULES, ...site.webRules, ...rules } };
}

/** Takes a site down, and puts up a notice in its place: a kind of task on sites that a package brings. */
export const suspends: Plugin = { name: "hostwright-example-suspends", contract: CONTRACT, tasks: [suspend] };

export const suspendSite = suspend.request; // await hw.run(suspendSite("example.com", "https://host.example/suspended/"))
