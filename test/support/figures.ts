import type { Hostwright, HostwrightEvent, Plan, TaskRequest } from "@hostwright/core";
import { ownMilliseconds } from "../../demo/progress.ts";

/** Prints a measured figure; figures are told, not judged. */
export function figure(what: string, value: number | string): void {
  process.stdout.write(`  figure: ${what}: ${value}\n`);
}

export interface Installed<Value> {
  readonly plan: Plan<Value>;
  readonly value: Value;
  readonly events: readonly HostwrightEvent[];
  readonly seconds: number;
  /** All but the copy of the code, the first content and the application's installer. */
  readonly ownMs: number;
}

/** Plans and installs, with the time it took and Hostwright's own share of it. */
export async function installed<Value>(hw: Hostwright, request: TaskRequest<Value>): Promise<Installed<Value>> {
  const events: HostwrightEvent[] = [];
  const started = performance.now();
  const plan = await hw.plan(request);
  const value = await hw.run(plan, { onEvent: (event) => events.push(event) });
  const ms = performance.now() - started;
  const took = events.flatMap((event) =>
    event.type === "action:finished" ? [[event.payload.action, event.payload.ms] as const] : [],
  );
  return {
    plan,
    value,
    events,
    seconds: Math.round(ms / 100) / 10,
    ownMs: Math.round(ownMilliseconds(ms, plan.actions, new Map(took))),
  };
}
