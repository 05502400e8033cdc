import { isHostwrightError, type HostwrightError, type Entry, type SiteView } from "@hostwright/core/plugin";
import { strict as assert } from "node:assert";
import { sh } from "../hosts/host.ts";
import type { ConfigFile, HttpBench } from "./http-bench.ts";
import { wordpressRules } from "./http-samples.ts";
import { siteView } from "../views.ts";

export const entriesOf = (bench: HttpBench, site: SiteView): readonly Entry[] =>
  bench.definition.role.site(site, bench.view);

/** A site that shares the release of the table's. */
export function siteLike(id: string, change: Partial<SiteView> = {}): SiteView {
  const { paths, platform } = siteView("wordpress");
  return siteView(id, {
    paths,
    platform,
    rules: wordpressRules,
    runtime: { kind: "php", protocol: "fastcgi", socket: "/run/php-wordpress.sock", main: null },
    ...change,
  });
}

export async function failed(work: () => Promise<unknown>, code: string): Promise<HostwrightError> {
  const error: unknown = await work().then(
    () => null,
    (thrown: unknown) => thrown,
  );
  assert.ok(isHostwrightError(error) && error.code === code, `expected ${code}, got ${String(error)}`);
  return error;
}

/** With entries in force, which are taken away in the end. */
export async function withEntries(
  bench: HttpBench,
  entries: readonly Entry[],
  use: () => Promise<void>,
): Promise<void> {
  await bench.put(entries);
  try {
    await use();
  } finally {
    await bench.take(...entries.map(({ name }) => name));
    await bench.publish();
  }
}

export async function withFile(
  bench: HttpBench,
  { path, content }: ConfigFile,
  use: () => Promise<void>,
): Promise<void> {
  await sh(bench.host, `cat > ${path}`, content);
  try {
    await use();
  } finally {
    await sh(bench.host, `rm ${path}`);
  }
}

export const GOOD = async (bench: HttpBench, id = "wordpress"): Promise<void> =>
  assert.equal((await bench.get(`${id}.test`, "/robots.txt")).body, "release\n", `${id} is not served`);
