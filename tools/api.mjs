import { Extractor, ExtractorConfig } from "@microsoft/api-extractor";
import { existsSync, readdirSync } from "node:fs";
import { resolve } from "node:path";

const update = process.argv.includes("--update");
const none = { logLevel: "none" };
const inReport = { logLevel: "none", addToApiReportFile: true };

function extract(folder) {
  const config = ExtractorConfig.prepare({
    configObjectFullPath: undefined,
    packageJsonFullPath: resolve(folder, "package.json"),
    configObject: {
      projectFolder: folder,
      mainEntryPointFilePath: resolve(folder, "dist/index.d.ts"),
      newlineKind: "lf",
      compiler: { tsconfigFilePath: resolve(folder, "tsconfig.build.json") },
      apiReport: {
        enabled: true,
        reportFileName: "report",
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

for (const name of readdirSync("packages")) {
  const report = `packages/${name}/report.api.md`;
  const known = existsSync(report);
  const result = extract(resolve("packages", name));
  if (result.errorCount > 0) {
    console.error(`packages/${name}: the public interface could not be read`);
    process.exitCode = 1;
  } else if (result.apiReportChanged) {
    console.log(`${report}: ${update ? "updated" : known ? "differs from the code" : "missing"}`);
    if (!update) process.exitCode = 1;
  }
}
