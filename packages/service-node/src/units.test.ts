import type { SiteView } from "@hostwright/core/plugin";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { sampleDatabase, sampleSite } from "../../../test/applications/sample-site.ts";
import { renderServiceUnit, renderSocketUnit } from "./units.ts";

const runtime = { kind: "node", protocol: "http", socket: "/run/x.sock", main: "/srv/platforms/s1aaaaaaaa/server.js" };
const site = (change: Partial<SiteView> = {}): SiteView =>
  sampleSite({ runtime: { ...runtime, protocol: "http" }, ...change });
const running = (main: string | null): SiteView => site({ runtime: { ...runtime, protocol: "http", main } });

test("the socket, and the port that the program is told, are one path", () => {
  const path = "/run/hostwright-node/s1aaaaaaaa.sock";
  expect(renderSocketUnit(site())).toContain(`\nListenStream=${path}\n`);
  expect(renderServiceUnit(site())).toContain(`\nEnvironment=PORT=${path}\n`);
});

test("the heap is smaller than what the kernel grants", () => {
  const unit = renderServiceUnit(site({ limits: { ...site().limits, memoryMegabytes: 300 } }));
  expect(unit).toContain("--max-old-space-size=300 ");
  expect(unit).toContain("\nMemoryMax=428M\n");
});

const password = { ref: "secret", id: "other", label: "other" } as const;

test.each<[string, Partial<SiteView>]>([
  ["another domain", { domain: "y.example" }],
  ["another database", { bindings: { db: { ...sampleDatabase, password } } }],
  ["none of its databases", { bindings: {} }],
  ["other options", { options: { debug: true } }],
])("a program with %s is started anew, since its variables differ", (_what, change) => {
  const view = site({ bindings: { db: sampleDatabase } });
  expect(renderServiceUnit({ ...view, ...change })).not.toBe(renderServiceUnit(view));
});

test("what the web server alone regards restarts no program", () => {
  const view = site();
  const other = site({ ownRules: { ...view.ownRules, denied: [] }, limits: { ...view.limits, uploadMegabytes: 9 } });
  expect(renderServiceUnit(other)).toBe(renderServiceUnit(view));
});

test("a platform without a program is refused", () => {
  expect(() => renderServiceUnit(running(null))).toThrow(expect.objectContaining({ code: "HW_SERVICE_UNFIT" }));
});

test("no name of a program adds an argument, a variable or a line", () => {
  fc.assert(
    fc.property(
      fc.string({ unit: fc.constantFrom("a", "/", " ", "$", "%", "{", '"', "\\", "\n", ";", "'") }),
      (name) => {
        const main = `/srv/${name}`;
        try {
          const line = renderServiceUnit(running(main))
            .split("\n")
            .find((one) => one.startsWith("ExecStart="));
          const words = line?.split(" ") ?? [];
          expect(words).toHaveLength(5);
          expect(words.at(-1)?.replaceAll("%%", "%")).toBe(main);
          expect(main).toMatch(/^[a-z/%]+$/);
        } catch (error) {
          expect(error).toMatchObject({ code: "HW_QUOTE_REFUSED" });
        }
      },
    ),
  );
});
