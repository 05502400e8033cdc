import { expect, test } from "vitest";

const [core, plugin]: readonly Readonly<Record<string, unknown>>[] = await Promise.all([
  import("@hostwright/core"),
  import("@hostwright/core/plugin"),
]);

/** What an embedding application chooses from fits on a screen. */
const MOST_VALUES = 60;

test("an application is offered a few names, and those that plugins are made with are apart", () => {
  const names = Object.keys(core ?? {});
  expect(names).toContain("createHostwright");
  expect(names.length).toBeLessThanOrEqual(MOST_VALUES);
  expect(names.filter((name) => name.startsWith("define"))).toEqual([]);
  expect(Object.keys(plugin ?? {})).toEqual(
    expect.arrayContaining(["CONTRACT", "defineHttpService", "definePlatform"]),
  );
});

test("what both offer is one and the same: an error of a plugin is an error of core", () => {
  const shared = Object.keys(core ?? {}).filter((name) => name in (plugin ?? {}));
  expect(shared).toEqual(expect.arrayContaining(["HostwrightError", "Secret"]));
  for (const name of shared) expect(plugin?.[name]).toBe(core?.[name]);
});
