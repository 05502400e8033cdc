import { defineConfig } from "vitest/config";

const conditions = ["@hostwright/source", "module", "node", "development|production"];
const ignored = ["**/node_modules/**", "**/dist/**"];
/** Tests on real hosts: a plugin's own conformance is always named so, in any repository. */
const conformance = "packages/*/test/conformance.test.ts";
/** Of `npm run test:mysql`, and of no other: their hosts are made of a suite of Debian that changes daily. */
const onMysql = process.env["HOSTWRIGHT_TEST_MYSQL"] === "1" ? [] : ["test/mysql/**"];

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions, externalConditions: ["@hostwright/source", "node"] } },
  test: {
    reporters: ["default", "./test/reporter.ts"],
    projects: [
      {
        extends: true,
        test: {
          name: "quick",
          include: ["packages/*/test/**/*.test.ts", "packages/*/src/**/*.test.ts", "test/quick/**/*.test.ts"],
          exclude: [...ignored, "**/*.hosts.test.ts", conformance],
        },
      },
      {
        extends: true,
        test: {
          name: "hosts",
          include: ["packages/*/{src,test}/**/*.hosts.test.ts", conformance, "test/**/*.hosts.test.ts"],
          exclude: [...ignored, ...onMysql],
          fileParallelism: false,
          globalSetup: "test/hosts/global-setup.ts",
          testTimeout: 300_000,
          hookTimeout: 300_000,
        },
      },
    ],
  },
});
