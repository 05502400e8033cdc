import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Plugin } from "@hostwright/core";
import { describe, expect, test } from "vitest";
import { filesBelow, ROOT } from "./sources.ts";

const HOME = "https://github.com/hostwright/hostwright";
const packages = readdirSync(join(ROOT, "packages"));
const read = (path: string): string => readFileSync(join(ROOT, path), "utf8");
const readmeOf = (name: string): string => read(`packages/${name}/README.md`);

/** Every word that stands by itself as code: of `limits.phpWorkers` also its parts, of `{ key, timeoutMs }` each. */
const codeIn = (text: string): ReadonlySet<string> =>
  new Set([...text.matchAll(/`([^`\n]+)`/g)].flatMap(([, code = ""]) => code.split(/[^A-Za-z]+/)));

const CORE = "packages/core/src";
const index = read(`${CORE}/index.ts`);

/** What core's index exports from the files of a folder: `export { install } from "./tasks/install-site.ts"`. */
function exported(kind: "export" | "export type", folder: string): readonly string[] {
  const lines = index.matchAll(new RegExp(`^${kind} \\{([^}]*)\\} from "\\./${folder}`, "gm"));
  return [...lines].flatMap(([, names = ""]) => names.split(",").map((name) => name.trim()));
}

const sources = filesBelow(CORE, ".ts").map(read);

/** Of an interface, or of the object that a function takes as its options. */
function keysOf(name: string): readonly string[] {
  const head = new RegExp(`export (?:interface ${name}\\b|function ${name}\\(options: )[^{]*\\{(.*?)^\\}`, "ms");
  const body = sources.map((text) => head.exec(text)?.[1]).find((found) => found !== undefined);
  if (body === undefined) throw new Error(`core has no ${name} that this test can read`);
  return [...body.matchAll(/^ {2}(?:readonly )?(\w+)\??:/gm)].map(([, key = ""]) => key);
}

describe.each(packages)("packages/%s, read without the repository around it", (name) => {
  const manifest = JSON.parse(read(`packages/${name}/package.json`)) as Readonly<Record<string, unknown>>;

  test("has links that are whole, or lead to what is packed", () => {
    const links = [...readmeOf(name).matchAll(/\]\(([^)\s]+)\)/g)].map(([, link = ""]) => link);
    const packed = (link: string): boolean =>
      /^(?:src\/|LICENSE$|package\.json$)/.test(link) && existsSync(join(ROOT, "packages", name, link));
    expect(links.filter((link) => !link.startsWith("https://") && !link.startsWith("#") && !packed(link))).toEqual([]);
  });

  test("says where it comes from, where it is described, and where faults are told", () => {
    expect(manifest["repository"]).toEqual({ type: "git", url: `git+${HOME}.git`, directory: `packages/${name}` });
    expect(manifest["homepage"]).toBe(`${HOME}/tree/main/packages/${name}#readme`);
    expect(manifest["bugs"]).toBe(`${HOME}/issues`);
  });
});

describe("the README of core names", () => {
  const text = readmeOf("core");
  const words = codeIn(text);

  test("every request that can be made", () => {
    const builders = exported("export", "tasks/");
    expect(builders.length).toBeGreaterThan(9);
    expect(builders.filter((name) => !text.includes(`\`${name}(`))).toEqual([]);
  });

  test("every method of the facade", () => {
    const [, facade = ""] = /^export class Hostwright .*?\{\n(.*?)^\}/ms.exec(read(`${CORE}/hostwright.ts`)) ?? [];
    const methods = [...facade.matchAll(/^ {2}(?:async )?(?!constructor)([a-z]\w*)(?:<[^(]*>)?\(/gm)].map(
      ([, name = ""]) => name,
    );
    expect(methods.length).toBeGreaterThan(9);
    expect(methods.filter((name) => !text.includes(`\`hw.${name}(`))).toEqual([]);
  });

  test("every option of what people call", () => {
    const inputs = ["tasks/", "hostwright", "options", "notify/", "model/", "api/"]
      .flatMap((folder) => exported("export type", folder))
      .filter((name) => /(?:Options|Input|Filter)$/.test(name) && name !== "ConnectInput");
    const keys = [...inputs, "ssh"].flatMap((name) => keysOf(name).map((key) => `${name}.${key}`));
    expect(keys.length).toBeGreaterThan(40);
    expect(keys.filter((key) => !words.has(key.split(".")[1] ?? ""))).toEqual([]);
  });
});

describe.each(packages.filter((name) => !["core", "testing"].includes(name)))("the README of %s names", (name) => {
  test("every option, in a table with its default", async () => {
    const module = (await import(`@hostwright/${name}`)) as Readonly<Record<string, Plugin>>;
    const plugins = Object.values(module).filter((value) => typeof value === "object" && "contract" in value);
    const definitions = plugins.flatMap(({ services = [], platforms = [] }) => [
      ...services.map(({ options }) => options),
      ...platforms.flatMap(({ options, siteOptions }) => [options, siteOptions]),
    ]);
    const keys = definitions.flatMap(({ schema }) => Object.keys((schema as unknown as { shape: object }).shape));
    expect(plugins.length).toBe(1);
    const rows = [...readmeOf(name).matchAll(/^\| `(\w+)` +\| +\S/gm)].map(([, key = ""]) => key);
    expect(keys.filter((key) => !rows.includes(key))).toEqual([]);
  });
});
