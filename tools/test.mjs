const args = process.argv.slice(2);

async function hostProblem() {
  if (args.includes("--project=quick") || process.env.HOSTWRIGHT_TEST_HOSTS) return undefined;
  const { checkHostRequirements } = await import("../packages/testing/src/containers/requirements.ts");
  const requirements = checkHostRequirements();
  return requirements.ok ? undefined : `${requirements.message} \`npm run test:quick\` needs no hosts.`;
}

const problem = await hostProblem();
if (problem) {
  console.error(problem);
  process.exitCode = 1;
} else {
  process.argv.splice(2, Infinity, "run", ...args);
  await import("../node_modules/vitest/vitest.mjs");
}
