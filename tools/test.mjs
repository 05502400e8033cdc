const args = process.argv.slice(2);

/** Files on hosts that hold alike things to one list: `npm test` takes so many of each row, drawn anew each time. */
const ALIKE = [
  { take: 2, of: ["killed-process", "network", "restart", "restored-store", "services", "stopped-worker"].map(faults) },
  { take: 1, of: ["nginx", "apache"].map(conformance) },
  { take: 1, of: ["mysql", "postgres"].map(conformance) },
];

function faults(name) {
  return `test/faults/${name}.hosts.test.ts`;
}

function conformance(service) {
  return `packages/service-${service}/test/conformance.test.ts`;
}

/** From one that is drawn on, in a circle: each is as likely as the others. */
function notDrawn() {
  const seed = Number.parseInt(process.env.HOSTWRIGHT_TEST_SEED ?? "", 10) || Date.now();
  return ALIKE.flatMap(({ take, of }) => {
    const from = seed % of.length;
    return [...of.slice(from), ...of.slice(0, from)].slice(take);
  });
}

const isQuick = args.some((arg) => arg.startsWith("--project=quick"));

/** `--hosts FILE` narrows the tests on hosts to these files; all others run as they do without it. */
function takeHostFiles() {
  const files = [];
  for (let at = args.indexOf("--hosts"); at >= 0; at = args.indexOf("--hosts")) files.push(args.splice(at, 2)[1]);
  return files;
}

async function hostProblem() {
  if (isQuick || process.env.HOSTWRIGHT_TEST_HOSTS) return undefined;
  const { checkHostRequirements } = await import("../packages/testing/src/containers/requirements.ts");
  const requirements = checkHostRequirements();
  return requirements.ok ? undefined : `${requirements.message} \`npm run test:quick\` needs no hosts.`;
}

const hostFiles = takeHostFiles();
if (hostFiles.length > 0) process.env.HOSTWRIGHT_TEST_HOST_FILES = hostFiles.join(",");
const isNamed = hostFiles.length > 0 || args.some((arg) => !arg.startsWith("-"));
if (!isNamed && !isQuick && process.env.HOSTWRIGHT_TEST_FULL !== "1")
  process.env.HOSTWRIGHT_TEST_NOT_DRAWN = notDrawn().join(",");
const problem = await hostProblem();
if (problem) {
  console.error(problem);
  process.exitCode = 1;
} else {
  process.argv.splice(2, Infinity, "run", ...args);
  await import("../node_modules/vitest/vitest.mjs");
}
