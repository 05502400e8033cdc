import { afterAll, beforeAll, describe, test } from "vitest";

/** One promise of a role, as data: a suite registers it as a test, and whoever breaks a plugin on purpose runs it alone. */
export interface Check<Bench> {
  /** The promise, in words. */
  readonly name: string;
  /** Capability without which it does not apply: a plugin that lacks it says why. */
  readonly needs?: string;
  /** Milliseconds; default 300,000. */
  readonly timeoutMs?: number;
  /** Rejects when the promise is broken. Leaves nothing on the bench that another check would mind. */
  run(bench: Bench): Promise<void>;
}

/** Capabilities that a plugin does not have, each with the reason; their checks are counted as skipped, with it. */
export type Lacking = Readonly<Record<string, string>>;

const TIMEOUT_MS = 900_000;
/** The first bench of a machine may wait for the hosts' base to be built. */
const OPENING_MS = 1_800_000;

/**
 * Registers the checks of a suite with vitest, on one bench that is opened before the first and disposed of after the last.
 * @throws Error where `lacking` names what no check needs, or gives no reason.
 */
export function conformance<Bench extends AsyncDisposable>(
  title: string,
  checks: readonly Check<Bench>[],
  lacking: Lacking,
  open: () => Promise<Bench>,
): void {
  assertKnown(checks, lacking);
  // oxlint-disable-next-line vitest/valid-title -- of the plugin that is tested
  describe(title, () => {
    let bench: Bench | undefined;
    beforeAll(async () => {
      bench = await open();
    }, OPENING_MS);
    afterAll(async () => bench?.[Symbol.asyncDispose](), TIMEOUT_MS);
    for (const check of checks) {
      const reason = check.needs === undefined ? undefined : lacking[check.needs];
      // oxlint-disable-next-line vitest/valid-title -- its promise
      test(check.name, { timeout: check.timeoutMs ?? TIMEOUT_MS }, async (context) => {
        if (reason !== undefined) return context.skip(`lacks ${check.needs ?? ""}: ${reason}`);
        if (bench === undefined) throw new Error("the bench was not opened");
        await check.run(bench);
      });
    }
  });
}

/** Every capability that can be declared as lacking is one that some check needs. */
export function assertKnown<Bench>(checks: readonly Check<Bench>[], lacking: Lacking): void {
  const needed = new Set(checks.flatMap(({ needs }) => needs ?? []));
  for (const [capability, reason] of Object.entries(lacking)) {
    if (!needed.has(capability))
      throw new Error(`no check needs "${capability}"; there are: ${[...needed].toSorted().join(", ")}`);
    if (reason.trim() === "") throw new Error(`"${capability}" is declared as lacking without a reason`);
  }
}

/** The reason why a plugin fails a check; null when it keeps the promise. */
export async function failureOf<Bench>(check: Check<Bench>, bench: Bench): Promise<string | null> {
  try {
    await check.run(bench);
    return null;
  } catch (error) {
    return error instanceof Error ? (error.message.split("\n")[0] ?? "") : String(error);
  }
}
