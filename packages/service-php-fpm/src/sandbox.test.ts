import { expect, test } from "vitest";
import { sampleDatabase, sampleSite } from "../../../test/applications/sample-site.ts";
import { PhpFpmOptions } from "./options.ts";
import { sandbox } from "./sandbox.ts";
import { renderServiceUnit } from "./units.ts";

const options = PhpFpmOptions.parse({});

test("the unit file holds exactly the sandbox that other commands of the site get", () => {
  const view = sampleSite({ bindings: { db: sampleDatabase } });
  const lines = renderServiceUnit(view, options).split("\n");
  for (const [name, value] of sandbox(view, options)) expect(lines).toContain(`${name}=${value.replaceAll("%", "%%")}`);
});

test("memory is bounded by what all workers may use together", () => {
  const limits = { uploadMegabytes: 64, requestSeconds: 60, memoryMegabytes: 256, phpWorkers: 4 };
  expect(sandbox(sampleSite({ limits }), options)).toContainEqual(["MemoryMax", `${4 * 256 + 128 + 64}M`]);
});
