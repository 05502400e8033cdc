import { Extractor, ExtractorConfig } from "@microsoft/api-extractor";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { resolve } from "node:path";

const update = process.argv.includes("--update");
const none = { logLevel: "none" };
const inReport = { logLevel: "none", addToApiReportFile: true };

/** Public entry points by the name of their report: what tests of plugins need besides may change with any version. */
function entriesOf(folder) {
  const { exports } = JSON.parse(readFileSync(resolve(folder, "package.json"), "utf8"));
  return Object.keys(exports)
    .filter((entry) => ![".json", "/testing"].some((end) => entry.endsWith(end)))
    .map((entry) => (entry === "." ? ["report", "index"] : [entry.slice(2), entry.slice(2)]));
}

function extract(folder, report, entry) {
  const config = ExtractorConfig.prepare({
    configObjectFullPath: undefined,
    packageJsonFullPath: resolve(folder, "package.json"),
    configObject: {
      projectFolder: folder,
      mainEntryPointFilePath: resolve(folder, `dist/${entry}.d.ts`),
      newlineKind: "lf",
      compiler: { tsconfigFilePath: resolve(folder, "tsconfig.build.json") },
      apiReport: {
        enabled: true,
        reportFileName: report,
        reportFolder: folder,
        reportTempFolder: resolve(folder, "dist/.api"),
      },
      docModel: { enabled: false },
      dtsRollup: { enabled: false },
      tsdocMetadata: { enabled: false },
      messages: {
        compilerMessageReporting: { default: { logLevel: "error" } },
        extractorMessageReporting: {
          default: inReport,
          "ae-missing-release-tag": none,
          "ae-undocumented": none,
        },
        tsdocMessageReporting: { default: none },
      },
    },
  });
  return Extractor.invoke(config, {
    localBuild: update,
    messageCallback: (message) => {
      if (message.category === "console") message.handled = true;
    },
  });
}

const all = readdirSync("packages").flatMap((name) =>
  entriesOf(resolve("packages", name)).map(([report, entry]) => ({ name, report, entry })),
);
for (const { name, report: file, entry } of all) {
  const report = `packages/${name}/${file}.api.md`;
  const known = existsSync(report);
  const result = extract(resolve("packages", name), file, entry);
  if (result.errorCount > 0) {
    console.error(`packages/${name}: the public interface could not be read`);
    process.exitCode = 1;
  } else if (result.apiReportChanged) {
    console.log(`${report}: ${update ? "updated" : known ? "differs from the code" : "missing"}`);
    if (!update) process.exitCode = 1;
  }
}
