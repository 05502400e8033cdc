import { parseArgs } from "node:util";
import { isHostwrightError } from "@hostwright/core";
import { benchVerify } from "./verify.ts";

const USAGE = "usage: npm run bench -- verify [--sites 500] [--json]";

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

async function bench(argv: readonly string[]): Promise<void> {
  const { values, positionals } = parseArgs({
    args: [...argv],
    allowPositionals: true,
    options: { sites: { type: "string", default: "500" }, json: { type: "boolean", default: false } },
  });
  const sites = Number(values.sites);
  if (positionals.join(" ") !== "verify" || !Number.isInteger(sites) || sites < 1) throw new Error(USAGE);
  const figures = await benchVerify(sites, say);
  say(`no-op ${figures.noopRatio} x its floor, first apply ${figures.applyRatio} x`);
  if (values.json) say(JSON.stringify(figures));
}

try {
  await bench(process.argv.slice(2));
} catch (error) {
  const message = error instanceof Error ? error.message : String(error);
  const told = isHostwrightError(error)
    ? `${error.code}: ${message}\n${error.output ?? ""}\nNext: ${error.mend}`
    : message;
  process.stderr.write(`\n${told}\n`);
  process.exitCode = 1;
}
