import { cluster, deletePlatform, install, prepare, takeOver, verify, type Hostwright } from "@hostwright/core";
import { mediawiki } from "@hostwright/platform-mediawiki";

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

/** Two web servers, whose records are there already, each with its `http` and `php` service. */
export async function onTwoHeads(hw: Hostwright, path: string): Promise<void> {
  await hw.servers.put({ name: "web", connect: cluster("web1", "web2") });
  await hw.platforms.put({ name: "wiki", server: "web", type: mediawiki.platform(), source: { path } });
  await hw.run(prepare("web")); // both
  await hw.run(install("wiki.example.com", { platform: "wiki", bindings: { db: "db1" } }));

  await hw.servers.put({ name: "web", connect: cluster("web1", "web3") });
  await hw.run(verify("web")); // web3 serves all of its sites
  await hw.run(verify("web2")); // web2 serves none of them any longer
}
