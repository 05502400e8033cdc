import { deletePlatform, takeOver, type Hostwright } from "@hostwright/core";

/** After the state folder of whoever had the server is gone. */
export async function takeServerOver(hw: Hostwright): Promise<void> {
  const plan = await hw.plan(takeOver("web1"));
  console.log(plan.render()); // from whom, and since when
  const { former } = await hw.run(plan);
  console.log(former);
}

/** Records that nothing needs any more. */
export async function tidy(hw: Hostwright): Promise<void> {
  await hw.run(deletePlatform("wp-6.1")); // published: a task removes its release too
  await hw.platforms.remove("mistaken"); // never published: at once
  await hw.sites.remove("abandoned.example.com"); // never installed: what a task left reserved
  const { left } = await hw.servers.remove("web1");
  console.log(`${left.length} things stay on the server`);
}
