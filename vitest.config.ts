import { defineConfig } from "vitest/config";

const conditions = ["@hostwright/source", "module", "node", "development|production"];
const ignored = ["**/node_modules/**", "**/dist/**"];
/** Tests on real hosts: a plugin's own conformance is always named so, in any repository. */
const conformance = "packages/*/test/conformance.test.ts";
/** `npm test -- --hosts FILE` names them. */
const onlyThese = process.env["HOSTWRIGHT_TEST_HOST_FILES"]?.split(",");
const hostFiles = onlyThese ?? ["packages/*/{src,test}/**/*.hosts.test.ts", conformance, "test/**/*.hosts.test.ts"];
/** The short form, `npm test`, takes only some of those that are alike. */
const notDrawn = process.env["HOSTWRIGHT_TEST_NOT_DRAWN"]?.split(",") ?? [];
/** Of `npm run test:mysql`, and of no other: their hosts are made of a suite of Debian that changes daily. */
const onMysql = process.env["HOSTWRIGHT_TEST_MYSQL"] === "1" ? [] : ["test/mysql/**"];
/** Disposable hosts that were given are there once: one file after the other has them. */
const inTurn =
  (process.env["HOSTWRIGHT_TEST_HOSTS"] ?? "") === "" ? {} : { fileParallelism: false, sequence: { groupOrder: 1 } };

/** They start programs and processes of this machine by the hundred: `npm run test:quick` leaves them out. */
const programs = "**/*.programs.test.ts";
/** They replace or count what all of a process have in common: each has a process of its own. */
const alone = "**/*.alone.test.ts";
const notQuick = [...ignored, "**/*.hosts.test.ts", conformance];
const notAlone = [alone, programs];
const quick = {
  include: ["packages/*/test/**/*.test.ts", "packages/*/src/**/*.test.ts", "test/quick/**/*.test.ts"],
  // No promise is about time: a machine that does other things as well fails no test.
  testTimeout: 60_000,
  hookTimeout: 60_000,
};

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions, externalConditions: ["@hostwright/source", "node"] } },
  test: {
    reporters: ["default", "./test/reporter.ts"],
    // By itself Vitest leaves one core to others: on two cores that is half of the time.
    maxWorkers: "100%",
    expect: { poll: { timeout: 30_000 } },
    projects: [
      {
        extends: true,
        test: {
          ...quick,
          name: "quick",
          exclude: [...notQuick, ...notAlone],
          // One after the other, a worker's files share its modules: loading them for each took half of the time.
          isolate: false,
          restoreMocks: true,
          unstubEnvs: true,
          unstubGlobals: true,
        },
      },
      { extends: true, test: { ...quick, name: "quick-alone", include: [alone], exclude: notQuick } },
      // Each in a small process of its own: a large one takes four times as long to start another.
      { extends: true, test: { ...quick, name: "programs", include: [programs], exclude: notQuick } },
      {
        extends: true,
        test: {
          name: "hosts",
          include: hostFiles,
          exclude: [...ignored, ...onMysql, ...notDrawn],
          ...inTurn,
          globalSetup: "test/hosts/global-setup.ts",
          // Ends what hangs; no promise is about time.
          testTimeout: 900_000,
          hookTimeout: 900_000,
        },
      },
    ],
  },
});
