// Of the whole package, what it takes to import is mostly other kinds of diffs.
import { createTwoFilesPatch } from "diff/lib/patch/create.js";
import { showGuard } from "./guards.ts";
import { showBytes } from "../../model/show-bytes.ts";
import { showCommand } from "../../servers/checked.ts";
import type { Action, PlanData, PlannedChange, PlannedChildren, TransferAction } from "./plan.ts";
import { serversOf } from "./servers-of.ts";

/** Of longer new files the beginning is shown; of a change with more edits than that their number of lines. */
const MOST_LINES = 60;
const MOST_EDITS = 300;
/** Lines that a whole plan shows of its changes' contents. Beyond them each change is its line alone. */
const MOST_CONTENT = 5000;
/** Children that a plan names; of more it says how many. */
const MOST_CHILDREN = 200;

/** How a plan is rendered. */
export interface RenderOptions {
  /** Also what the changed texts say, before and after. Default true; without them each change is one line. */
  readonly diffs?: boolean;
}

/** Does it change nothing, since everything stands as wanted? What children change is known when they are planned. */
export function isEmpty({ actions, children }: Pick<PlanData, "actions" | "children">): boolean {
  return actions.length === 0 && (children?.list.length ?? 0) === 0;
}

/**
 * The plan as a person reads it: every action with the real diff of what it changes. Pure, and bounded: a plan of a whole
 * server is read by its names, since nobody reads what each of a thousand sites gets.
 */
export function renderPlan(plan: PlanData, { diffs = true }: RenderOptions = {}): string {
  const head = `Plan ${plan.id}: ${plan.title}`;
  if (plan.children !== undefined) return `${[head, ...renderChildren(plan.children)].join("\n")}\n`;
  if (plan.actions.length === 0) return `${head}\n  nothing to do: everything stands as wanted\n`;
  const before = plan.actions.filter((action) => action.phase === "prepare");
  const after = plan.actions.filter((action) => action.phase === "clean-up");
  const content = new Content(diffs ? MOST_CONTENT : 0);
  const blocks = [...before, ...after].map((action, index) => ["", ...renderAction(action, index + 1, content)]);
  const commit = ["", "  -- commit: from here on everything goes forward --"];
  const cut =
    content.left > 0 || !diffs
      ? []
      : ["", `  contents of further changes are not shown: more than ${MOST_CONTENT} lines`];
  const parts = [[head], ...blocks.slice(0, before.length), commit, ...blocks.slice(before.length), cut];
  return `${[...parts.flat(), "", summary(plan)].join("\n")}\n`;
}

function renderChildren({ list, concurrency, stopAfter }: PlannedChildren): readonly string[] {
  const shown = list.slice(0, MOST_CHILDREN).map(({ title }, index) => `    ${index + 1}. ${title}`);
  const more = list.length - shown.length;
  const rule = stopAfter === null ? "all are tried" : `none further once ${stopAfter} failed`;
  return [
    `  ${list.length} children, ${concurrency} at once, ${rule}; each is planned when its turn comes`,
    ...shown,
    ...(more === 0 ? [] : [`    ... and ${more} more`]),
  ];
}

/** How much of its changes' contents a plan may still show. */
class Content {
  left: number;

  constructor(left: number) {
    this.left = left;
  }

  take(lines: readonly string[], cost: number = lines.length): readonly string[] {
    this.left -= cost;
    return lines.map((line) => `         ${line}`);
  }
}

function renderAction(action: Action, number: number, content: Content): readonly string[] {
  const head = `  ${number}. [${action.serverName}] ${action.title}`;
  const gone = (action.records ?? []).filter(({ version }) => version === 0);
  const guards = [
    ...(action.guards ?? []).map((guard) => `     ? only with ${showGuard(guard)}`),
    ...gone.map(({ kind, id }) => `     ? only while there is no record of ${kind}/${id}`),
  ];
  if (action.kind === "run") return [`${head} (runs ${action.operation})`, ...guards];
  if (action.kind === "transfer") return [`${head} (transfer)`, ...guards, ...renderEnds(action)];
  if (action.kind === "activate")
    return [head, ...guards, `     * a new generation of ${action.service}: test, switch, reload once`];
  return [head, ...guards, ...action.changes.flatMap((change) => renderChange(change, content))];
}

function renderEnds({ from, to, serverName, bytes }: TransferAction): readonly string[] {
  const about = bytes === null ? "" : `, about ${showBytes(bytes)}`;
  return [
    `     < ${from.serverName}: ${showCommand(from)}${about}`,
    `     > ${serverName}: ${showCommand(to)}${to.resume === undefined ? "" : ", goes on from what is there"}`,
  ];
}

function renderChange(change: PlannedChange, content: Content): readonly string[] {
  const sign = change.after === null ? "-" : change.before === null ? "+" : "~";
  const line = `     ${sign} ${change.type} ${change.key}${isAdopted(change) ? " (adopt: stands there already)" : ""}`;
  const { before, after } = change.show;
  if (after === null || content.left <= 0) return [line];
  return [line, ...(before === null ? newText(after, content) : diffText(before, after, content))];
}

function isAdopted({ before, after, holder }: PlannedChange): boolean {
  return before !== null && after !== null && holder === "nobody";
}

function newText(text: string, content: Content): readonly string[] {
  if (!text.includes("\n")) return content.take([text]);
  const all = text.trimEnd().split("\n");
  const shown = all.slice(0, MOST_LINES).map((line) => `+ ${line}`);
  const more = all.length - shown.length;
  return content.take(more === 0 ? shown : [...shown, `+ ... and ${more} lines more`]);
}

/** The time of a diff grows with the square of its edits: one with too many is told by its size. */
function diffText(before: string, after: string, content: Content): readonly string[] {
  const options = { context: 2, maxEditLength: MOST_EDITS };
  const [former, next] = [ensureNewline(before), ensureNewline(after)];
  const patch = createTwoFilesPatch("before", "after", former, next, "", "", options);
  if (patch === undefined) {
    const [was, is] = [former, next].map((text) => text.split("\n").length - 1);
    return content.take([`${was} lines before, ${is} after: too many differ to be shown`], MOST_EDITS);
  }
  return content.take(
    patch
      .split("\n")
      .slice(4)
      .filter((line) => line !== ""),
  );
}

function ensureNewline(text: string): string {
  return text.endsWith("\n") ? text : `${text}\n`;
}

function summary(plan: PlanData): string {
  const changes = plan.actions.flatMap((action) => (action.kind === "ensure" ? action.changes : []));
  const count = (test: (change: PlannedChange) => boolean): number => changes.filter(test).length;
  const servers = new Set(plan.actions.flatMap(serversOf)).size;
  const runs = plan.actions.filter(({ kind }) => kind === "run" || kind === "transfer").length;
  return (
    `  ${plan.actions.length} actions on ${servers} server${servers === 1 ? "" : "s"}: ` +
    `${count((c) => c.before === null)} to make, ${count((c) => c.before !== null && c.after !== null)} to change, ` +
    `${count((c) => c.after === null)} to remove, ${runs} to run`
  );
}
