import * as fc from "fast-check";

const SEED = "HOSTWRIGHT_TEST_SEED";
const PATH = "HOSTWRIGHT_TEST_PATH";
const RUNS = "HOSTWRIGHT_TEST_RUNS";
/** All runs are `npm run test:full`; every other time one in twenty is drawn, anew. */
const FACTOR = process.env["HOSTWRIGHT_TEST_FULL"] === "1" ? 1 : 0.05;

/**
 * Plays random cases, each of which gives what is wrong with it. Prints the seed, and for a failure the smallest case that
 * fails with the command that repeats it. The environment sets seed, path and, as a factor of `runs`, the number of runs.
 */
export async function modelRuns<T>(
  file: string,
  runs: number,
  cases: fc.Arbitrary<T>,
  play: (one: T) => Promise<readonly string[]> | readonly string[],
): Promise<void> {
  const seed = Number(process.env[SEED] ?? fc.hash(`${Date.now()} ${file}`));
  const path = process.env[PATH];
  const numRuns = Math.ceil(runs * Number(process.env[RUNS] ?? FACTOR));
  const began = performance.now();
  const property = fc.asyncProperty(cases, async (one) => {
    const wrong = await play(one);
    if (wrong.length > 0) throw new Error(wrong.join("\n"));
  });
  const found = await fc.check(property, {
    seed,
    numRuns,
    ...(path === undefined ? {} : { path, endOnFailure: true }),
  });
  const seconds = ((performance.now() - began) / 1000).toFixed(1);
  process.stdout.write(`${file}: ${found.numRuns} runs in ${seconds} s, seed ${seed}\n`);
  if (!found.failed) return;
  const again = `${SEED}=${seed} ${PATH}=${found.counterexamplePath} npx vitest run --project quick ${file}`;
  const reason = found.errorInstance instanceof Error ? found.errorInstance.message : String(found.errorInstance);
  throw new Error(
    `After ${found.numRuns} runs: ${reason}\nThe smallest case: ${JSON.stringify(found.counterexample?.[0])}\nAgain: ${again}`,
    { cause: found.errorInstance },
  );
}
