import { createTwoFilesPatch } from "diff";
import { showGuard } from "./guards.ts";
import type { Action, PlanData, PlannedChange } from "./plan.ts";

/** The plan as a person reads it: every action with the real diff of what it changes. Pure. */
export function renderPlan(plan: PlanData): string {
  const lines = [`Plan ${plan.id}: ${plan.title}`];
  if (plan.actions.length === 0) return `${lines[0]}\n  nothing to do: everything stands as wanted\n`;
  const before = plan.actions.filter((action) => action.phase === "prepare");
  const after = plan.actions.filter((action) => action.phase === "clean-up");
  let number = 0;
  for (const action of before) lines.push("", ...renderAction(action, ++number));
  lines.push("", "  -- commit: from here on everything goes forward --");
  for (const action of after) lines.push("", ...renderAction(action, ++number));
  lines.push("", summary(plan));
  return `${lines.join("\n")}\n`;
}

function renderAction(action: Action, number: number): string[] {
  const head = `  ${number}. [${action.serverName}] ${action.title}`;
  const guards = (action.guards ?? []).map((guard) => `     ? only with ${showGuard(guard)}`);
  if (action.kind === "run") return [`${head} (runs ${action.operation})`, ...guards];
  const lines = [head, ...guards];
  for (const change of action.changes) lines.push(...renderChange(change));
  if (action.publish !== null)
    lines.push(`     * publish a new generation of ${action.publish}: test, switch, reload once`);
  return lines;
}

function renderChange(change: PlannedChange): string[] {
  const sign = change.after === null ? "-" : change.before === null ? "+" : "~";
  const lines = [`     ${sign} ${change.type} ${change.key}${change.adopt ? " (adopt: stands there already)" : ""}`];
  const { before, after } = change.show;
  if (after === null) return lines;
  if (before === null) {
    if (after.includes("\n")) lines.push(...newText(after));
    else lines.push(`         ${after}`);
    return lines;
  }
  const patch = createTwoFilesPatch("before", "after", ensureNewline(before), ensureNewline(after), "", "", {
    context: 2,
  });
  const body = patch.split("\n").slice(4);
  lines.push(...body.filter((line) => line !== "").map((line) => `         ${line}`));
  return lines;
}

/** Longer files are shown by their beginning: a plan is read by people. */
const SHOWN_LINES = 60;

function newText(text: string): readonly string[] {
  const all = text.trimEnd().split("\n");
  const shown = all.slice(0, SHOWN_LINES).map((line) => `         + ${line}`);
  return all.length <= SHOWN_LINES ? shown : [...shown, `         + ... and ${all.length - SHOWN_LINES} lines more`];
}

function ensureNewline(text: string): string {
  return text.endsWith("\n") ? text : `${text}\n`;
}

function summary(plan: PlanData): string {
  const changes = plan.actions.flatMap((action) => (action.kind === "ensure" ? action.changes : []));
  const count = (test: (change: PlannedChange) => boolean): number => changes.filter(test).length;
  const servers = new Set(plan.actions.map((action) => action.serverName)).size;
  return (
    `  ${plan.actions.length} actions on ${servers} server${servers === 1 ? "" : "s"}: ` +
    `${count((c) => c.before === null)} to make, ${count((c) => c.before !== null && c.after !== null)} to change, ` +
    `${count((c) => c.after === null)} to remove, ${plan.actions.filter((a) => a.kind === "run").length} to run`
  );
}
