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
/** Those with a database are in one file; a file without the cell that was asked for would hold no test. */
const others = ["static", "node"];
const isTried = (platform: string): boolean =>
  values.cell === "full" || ["nginx", "apache"].some((http) => `${http} + ${platform}`.includes(values.cell));
const [asked, onlyOthers] = [others.filter(isTried), others.some((platform) => values.cell.endsWith(platform))];
const files = [...(onlyOthers ? [] : ["matrix"]), ...asked].map((name) => `test/matrix/${name}.hosts.test.ts`);
process.argv.splice(2, Infinity, "--project=hosts", ...reporters, ...files);
const runner = new URL("../../tools/test.mjs", import.meta.url).href;
await import(runner);
