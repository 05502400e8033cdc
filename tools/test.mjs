import { notDrawn } from "./drawn-files.mjs";

const args = process.argv.slice(2);

const needsNoHost = args.some((arg) => /^--project=(?:quick|programs)/.test(arg));

/** `--hosts FILE` narrows the tests on hosts to these files; all others run as they do without it. */
function takeHostFiles() {
  const files = [];
  for (let at = args.indexOf("--hosts"); at >= 0; at = args.indexOf("--hosts")) files.push(args.splice(at, 2)[1]);
  return files;
}

async function hostProblem() {
  if (needsNoHost || process.env.HOSTWRIGHT_TEST_HOSTS) return undefined;
  const { checkHostRequirements } = await import("../packages/testing/src/containers/requirements.ts");
  const requirements = checkHostRequirements();
  return requirements.ok ? undefined : `${requirements.message} \`npm run test:quick\` needs no hosts.`;
}

const hostFiles = takeHostFiles();
if (hostFiles.length > 0) process.env.HOSTWRIGHT_TEST_HOST_FILES = hostFiles.join(",");
const isNamed = hostFiles.length > 0 || args.some((arg) => !arg.startsWith("-"));
if (!isNamed && !needsNoHost && process.env.HOSTWRIGHT_TEST_FULL !== "1")
  process.env.HOSTWRIGHT_TEST_NOT_DRAWN = notDrawn(
    Number.parseInt(process.env.HOSTWRIGHT_TEST_SEED ?? "", 10) || Date.now(),
  ).join(",");
const problem = await hostProblem();
if (problem) {
  console.error(problem);
  process.exitCode = 1;
} else {
  process.argv.splice(2, Infinity, "run", ...args);
  await import("../node_modules/vitest/vitest.mjs");
}
