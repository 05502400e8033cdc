import { parseArgs } from "node:util";

const { values } = parseArgs({
  options: {
    /** Only cells with this in their name, such as `apache + postgres` or `wordpress`. */
    cell: { type: "string", default: "full" },
    /** End with one line of JSON. */
    json: { type: "boolean", default: false },
  },
});
process.env["HOSTWRIGHT_MATRIX"] = values.cell;
if (values.json) process.env["HOSTWRIGHT_MATRIX_JSON"] = "yes";
const reporters = ["verbose", "./test/reporter.ts", "./test/matrix/reporter.ts"].map((name) => `--reporter=${name}`);
process.argv.splice(2, Infinity, "--project=hosts", ...reporters, "test/matrix");
const runner = new URL("../../tools/test.mjs", import.meta.url).href;
await import(runner);
