import { readdirSync, readFileSync } from "node:fs";
import { stripTypeScriptTypes } from "node:module";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { filesBelow, importsOf, ROOT, type Import } from "./sources.ts";

const CORE = "packages/core/src";

/** Rooms of core from the bottom up: a room may import from lower layers only, never from its own layer's neighbours. */
const LAYERS: readonly (readonly string[])[] = [
  ["errors", "node-version.ts"],
  ["model"],
  ["contracts"],
  ["di", "plugin-kit", "servers", "store"],
  ["resources"],
  ["operations"],
  ["engine/stream"],
  ["engine/events.ts"],
  ["engine/task-ends.ts", "engine/telemetry.ts", "engine/plugins", "engine/sessions"],
  ["engine/publishing"],
  ["engine/planning"],
  ["engine/maintenance"],
  ["engine/transfer"],
  ["engine/actions"],
  ["engine/workers"],
  ["tasks", "queue", "notify"],
  ["api"],
  ["options.ts"],
  ["parts.ts"],
  ["wiring.ts"],
  ["hostwright.ts"],
  ["index.ts", "kernel.ts", "plugin.ts", "testing.ts"],
];

/** Libraries of a plugin's own field; zod is everybody's, for options. */
const FIELD: Readonly<Record<string, readonly string[]>> = { "service-mysql": ["mysql2"], "service-postgres": ["pg"] };

const isTest = (file: string): boolean => file.endsWith(".test.ts");
const sources = filesBelow(CORE, ".ts").filter((file) => !isTest(file));
const coreImports = sources.flatMap(importsOf);
const plugins = readdirSync(join(ROOT, "packages")).filter((name) => !["core", "testing"].includes(name));

const inside = (path: string): string => path.slice(CORE.length + 1);
const rooms = LAYERS.flat();
const room = (path: string): string =>
  rooms.find((name) => inside(path) === name || inside(path).startsWith(`${name}/`)) ?? inside(path);
const layer = (path: string): number => LAYERS.findIndex((names) => names.includes(room(path)));

/** What packages import. */
const offers = importsOf(`${CORE}/plugin.ts`);
const named = ({ target, names }: Import): readonly string[] =>
  (names ?? ["*"]).map((name) => `${inside(target ?? "")} ${name}`);

function againstTheRule(found: readonly Import[]): readonly string[] {
  return found.flatMap(({ file, target }) => {
    if (target === null || room(file) === room(target) || layer(target) < layer(file)) return [];
    return [`${inside(file)} -> ${inside(target)}`];
  });
}

describe("core", () => {
  test("every room has its layer", () => {
    expect(sources.length).toBeGreaterThan(80);
    expect([...new Set(sources.filter((file) => layer(file) < 0).map(room))]).toEqual([]);
  });

  test("imports run downwards", () => {
    expect(coreImports.filter(({ target }) => target !== null).length).toBeGreaterThan(200);
    expect([...new Set(againstTheRule(coreImports))].toSorted()).toEqual([]);
  });

  test("imports stay in the package", () => {
    expect(coreImports.filter(({ target }) => target !== null && !target.startsWith(`${CORE}/`))).toEqual([]);
  });

  test("contracts import neither engine nor anything that works", () => {
    const used = coreImports
      .filter(({ file, target }) => room(file) === "contracts" && target !== null)
      .map(({ target }) => room(target ?? ""));
    expect(used).toContain("model");
    expect(used.filter((name) => !["contracts", "errors", "model"].includes(name))).toEqual([]);
  });

  test("contracts hold types only: of their text nothing but comments is left at run time", () => {
    const contracts = filesBelow(`${CORE}/contracts`, ".ts");
    expect(contracts.length).toBeGreaterThan(20);
    const code = contracts.flatMap((file) => {
      const text = stripTypeScriptTypes(readFileSync(join(ROOT, file), "utf8"));
      const left = text.replaceAll(/\/\*[^]*?\*\/|\/\/.*/g, "").trim();
      return left === "" ? [] : [`${inside(file)}: ${left}`];
    });
    expect(code).toEqual([]);
  });

  test("tasks use nothing that a package cannot import", () => {
    const offered = new Set(offers.flatMap(named));
    const used = coreImports.filter(({ file, target }) => room(file) === "tasks" && target !== null);
    expect(used.length).toBeGreaterThan(200);
    const inner = used.filter(({ target }) => room(target ?? "") !== "tasks");
    const others = inner.flatMap((one) => named(one).map((what) => [what, `${inside(one.file)} -> ${what}`] as const));
    expect(others.flatMap(([what, how]) => (offered.has(what) ? [] : how))).toEqual([]);
  });

  test("packages import names, and none of the engine or the store", () => {
    expect(offers.length).toBeGreaterThan(80);
    const rooms = [
      "node-version.ts",
      "errors",
      "model",
      "contracts",
      "plugin-kit",
      "di",
      "parts.ts",
      "servers",
      "resources",
      "operations",
    ];
    const others = offers.filter(({ target }) => ![...rooms, "tasks"].includes(room(target ?? "")));
    expect(others.flatMap(named)).toEqual([]);
    expect(offers.flatMap(named).filter((what) => what.endsWith(" *"))).toEqual(["node-version.ts *"]);
  });

  test("only the container knows tsyringe", () => {
    const users = [...filesBelow("packages", ".ts"), ...filesBelow("demo", ".ts"), ...filesBelow("examples", ".ts")]
      .flatMap(importsOf)
      .filter(({ specifier }) => ["tsyringe", "reflect-metadata"].includes(specifier))
      .map(({ file }) => file);
    expect([...new Set(users)]).toEqual([`${CORE}/di/container.ts`]);
  });
});

describe.each(plugins)("%s", (name) => {
  const imports = filesBelow(`packages/${name}/src`, ".ts")
    .filter((file) => !isTest(file))
    .flatMap(importsOf);

  test("imports core, zod, Node and its own field's library, and nothing else", () => {
    const packages = imports.filter(({ target }) => target === null).map(({ specifier }) => specifier);
    const allowed = ["@hostwright/core/plugin", "zod", ...(FIELD[name] ?? [])];
    expect(packages).toContain("@hostwright/core/plugin");
    const others = packages.filter(
      (specifier) =>
        !specifier.startsWith("node:") && !allowed.some((one) => specifier === one || specifier.startsWith(`${one}/`)),
    );
    expect(others).toEqual([]);
  });

  test("stays in its own folder", () => {
    const out = imports.filter(({ target }) => target !== null && !target.startsWith(`packages/${name}/src/`));
    expect(out).toEqual([]);
  });

  test("has core as a peer with a wide range, and no other package of ours", () => {
    const json = JSON.parse(readFileSync(join(ROOT, "packages", name, "package.json"), "utf8")) as {
      readonly dependencies?: Readonly<Record<string, string>>;
      readonly peerDependencies?: Readonly<Record<string, string>>;
    };
    expect(Object.keys(json.peerDependencies ?? {})).toEqual(["@hostwright/core"]);
    expect(json.peerDependencies?.["@hostwright/core"]).toMatch(/^>=\d/);
    expect(Object.keys(json.dependencies ?? {}).filter((one) => one.startsWith("@hostwright/"))).toEqual([]);
  });
});
