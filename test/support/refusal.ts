import {
  isHostwrightError,
  type ErrorCode,
  type HostwrightError,
  type RunOptions,
  type TaskRequest,
} from "@hostwright/core";
import { expect } from "vitest";
import type { LivingServer } from "./living-server.ts";

/** What a good error names: the thing itself, so that its reader need not guess. */
export interface Expected {
  readonly code: ErrorCode;
  /** In message or remedy, all of them. */
  readonly names: readonly (string | RegExp)[];
}

/** The error that something ends with, checked: its code, what it names, and no secret in it. */
export async function expectRefusal(
  living: LivingServer,
  work: () => Promise<unknown>,
  expected: Expected,
): Promise<HostwrightError> {
  const secrets = living.state.secrets();
  const error = await work().then(
    (value) => {
      throw new Error(`it was expected to fail with ${expected.code} but gave ${JSON.stringify(value)}`);
    },
    (thrown: unknown) => thrown,
  );
  expectError(error, expected, [...secrets, ...living.state.secrets()]);
  return error as HostwrightError;
}

function expectError(error: unknown, { code, names }: Expected, secrets: readonly string[]): void {
  if (!isHostwrightError(error)) throw error;
  expect(`${error.code}: ${error.message}`).toMatch(new RegExp(`^${code}: `));
  const told = `${error.message}\n${error.remedy}`;
  for (const name of names) {
    if (typeof name === "string") expect(told).toContain(name);
    else expect(told).toMatch(name);
  }
  // A table's sentence alone helps nobody who has fifty servers.
  expect(error.remedy.length).toBeGreaterThan(10);
  expectNoSecret(JSON.stringify(error), secrets);
  expectNoSecret(`${error.stack} ${String(error.cause)}`, secrets);
}

export function expectNoSecret(text: string, secrets: readonly string[]): void {
  for (const secret of secrets) {
    for (const line of secret.split("\n").filter((one) => one.length >= 16 && !one.startsWith("-----"))) {
      expect(text.includes(line), `a secret of ${line.length} characters is in: ${text.slice(0, 300)}`).toBe(false);
    }
  }
}

/** Refused when it was planned: no task effect, and everything as before. */
export async function expectRefusedAtPlanning(
  living: LivingServer,
  request: TaskRequest,
  expected: Expected,
): Promise<HostwrightError> {
  const error = await expectRefusal(living, async () => living.hw.plan(request), expected);
  await living.expectUnharmed();
  return error;
}

export interface UndoneTask {
  readonly error: HostwrightError;
  readonly seconds: number;
}

export interface UndoneOptions extends RunOptions {
  /** Takes away what the test itself did, before all is compared. */
  readonly restore?: () => Promise<unknown>;
}

/** Runs a request that must fail: its task ends `undone` without residue, no event tells a secret, all is as before. */
export async function expectUndone(
  living: LivingServer,
  request: TaskRequest,
  expected: Expected,
  { restore, ...options }: UndoneOptions = {},
): Promise<UndoneTask> {
  const secrets = new Set<string>();
  const onEvent: RunOptions["onEvent"] = (event) => {
    // Those of an undone site are erased with it.
    for (const secret of living.state.secrets()) secrets.add(secret);
    options.onEvent?.(event);
  };
  const started = performance.now();
  let seconds = 0;
  let error: HostwrightError;
  try {
    error = await expectRefusal(living, async () => living.hw.run(request, { ...options, onEvent }), expected);
    await living.gate.expectWhole();
  } finally {
    seconds = (performance.now() - started) / 1000;
    await restore?.();
  }
  expectNoSecret(JSON.stringify(error), [...secrets]);
  expectNoSecret(living.state.events(), [...secrets]);
  const task = living.state.lastTask();
  expect(JSON.parse(task.outcome)).toMatchObject({ state: "undone", residue: [] });
  expect(task.state).toBe("undone");
  await living.expectUnharmed();
  return { error, seconds };
}
