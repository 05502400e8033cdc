import type { SourceReader } from "@hostwright/core/plugin";
import { expect, test } from "vitest";
import { sampleSite } from "../../../test/applications/sample-site.ts";
import { detect } from "./layout.ts";
import { NodeAppOptions } from "./options.ts";
import { nodeApp } from "./plugin.ts";

const source = (files: Readonly<Record<string, string>>): SourceReader => ({
  exists: async (path) => path in files,
  text: async (path) => files[path] ?? null,
});

test.each([
  ['{"version":"1.2.3-rc.1"}', { version: "1.2.3-rc.1" }],
  ['{"name":"a"}', { version: "0.0.0" }],
  ['{"version":7}', { version: "0.0.0" }],
  ['{"version":"a\\nb"}', { version: "0.0.0" }],
  ["[]", null],
  ["{", null],
])("a project with %j is %j", async (text, found) => {
  expect(await detect(source({ "package.json": text }))).toEqual(found);
});

test.each(["server.js", "dist/main.mjs", "a-b/c_d.cjs", "publicity/x.js"])("%s can be a program", (main) => {
  expect(NodeAppOptions.parse({ main })).toEqual({ main });
});

test.each([
  "",
  "/etc/x.js",
  "../x.js",
  "a/../b.js",
  "./a.js",
  ".env",
  "a b.js",
  "a\nb",
  "a%b",
  "$x.js",
  "a//b",
  "a/",
  "public/x.js",
])("%j is refused as a program", (main) => {
  expect(NodeAppOptions.safeParse({ main }).success).toBe(false);
});

test("the program is the platform's option", () => {
  const platform = { ...sampleSite().platform, options: NodeAppOptions.parse({ main: "dist/main.js" }) };
  expect(nodeApp.platforms?.[0]?.role.main?.({ ...sampleSite(), platform })).toBe("dist/main.js");
});
