import { ensureBase } from "../../packages/testing/src/containers/base.ts";
import { wordpressCodebases } from "./codebases.ts";
import { checkHostRequirements } from "../../packages/testing/src/containers/requirements.ts";
import { reapRuns } from "../../packages/testing/src/containers/runs.ts";

/** For vitest: whatever the hosts are made of is there before the first test. Tests start the hosts they want themselves. */
export default async function setup(): Promise<() => Promise<void>> {
  const given = process.env["HOSTWRIGHT_TEST_HOSTS"];
  const requirements = checkHostRequirements();
  if (!requirements.ok) {
    // Given hosts need nothing of this machine; tests that want a codebase say so themselves.
    if (given !== undefined && given !== "") return async () => {};
    throw new Error(requirements.message);
  }
  await reapRuns();
  await ensureBase();
  if (process.env["HOSTWRIGHT_TEST_MYSQL"] === "1") await ensureBase("mysql");
  await wordpressCodebases();
  return async () => void (await reapRuns());
}
