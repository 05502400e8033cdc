import type { TaskState } from "../../packages/core/src/contracts/store.ts";
import { linesOf, textOf, type Line } from "./effects.ts";
import { fileOf, valueOf, type Place, type SoakRequest } from "./instance.ts";

/** A task as it was submitted, and what its last `task:finished` told. */
export interface Asked {
  readonly id: string;
  readonly request: SoakRequest;
  readonly cancelled: boolean;
  /** How often its end was told. */
  told: number;
  end: TaskState | null;
  /** Why it did not succeed. */
  error: string | null;
}

export interface Verdict {
  /** Without an end, or done without an effect. */
  readonly lost: readonly string[];
  /** More than one effect, or one of a task that was undone. */
  readonly twice: readonly string[];
  /** A later task of the same site took effect first, or under a higher token. */
  readonly outOfOrder: readonly string[];
  /** Ended otherwise than asked for, or its effect is not what stands. */
  readonly wrong: readonly string[];
}

/** Judges all tasks by what they left outside the store, in the order of their submission. */
export async function judge(place: Place, asked: readonly Asked[]): Promise<Verdict> {
  const verdict = { lost: [], twice: [], outOfOrder: [], wrong: [] } satisfies Record<keyof Verdict, string[]>;
  const bySite = Map.groupBy(asked, ({ request }) => fileOf(place, request));
  for (const [file, tasks] of bySite)
    judgeSite(
      { file, tasks, lines: await linesOf(file), value: await textOf(valueOf(place, (tasks[0] as Asked).request)) },
      verdict,
    );
  return verdict;
}

interface Site {
  readonly file: string;
  readonly tasks: readonly Asked[];
  readonly lines: readonly Line[];
  readonly value: string;
}

function judgeSite({ file, tasks, lines, value }: Site, found: { readonly [K in keyof Verdict]: string[] }): void {
  for (const task of tasks) {
    const [did, undid] = (["did", "undid"] as const).map(
      (verb) => lines.filter((line) => line.task === task.id && line.verb === verb).length,
    ) as [number, number];
    const name = `task ${task.request.number} (${task.id}, ${task.request.kind}) of ${file}`;
    const said = `${name} ended ${task.end}${task.error === null ? "" : ` (${task.error})`}, was done ${did} times and taken back ${undid} times`;
    if (task.end === null || (task.end === "succeeded" && did === 0)) found.lost.push(said);
    else if (did - undid !== (task.end === "succeeded" ? 1 : 0) || did > 1) found.twice.push(said);
    const expected = task.request.kind === "fail" ? "undone" : "succeeded";
    if (task.end !== null && task.end !== expected && !(task.cancelled && task.end === "undone"))
      found.wrong.push(said);
  }
  const done = lines.filter(({ verb }) => verb === "did");
  for (const [index, line] of done.entries()) {
    const before = done[index - 1];
    if (before !== undefined && before.number > line.number)
      found.outOfOrder.push(`task ${line.number} of ${file} came after task ${before.number}`);
  }
  for (const [index, line] of lines.entries()) {
    const before = lines[index - 1];
    if (before !== undefined && later(before.token, line.token))
      found.outOfOrder.push(`token ${line.token} in ${file} came after ${before.token}`);
  }
  const last = tasks.findLast(({ request, end }) => request.kind === "set" && end === "succeeded");
  const wanted = last === undefined ? "" : String(last.request.number);
  if (value !== wanted) found.wrong.push(`${file} holds the value of task ${value || "none"}, not ${wanted || "none"}`);
}

function later(a: string, b: string): boolean {
  const [[epochA = 0, tokenA = 0], [epochB = 0, tokenB = 0]] = [a, b].map((text) => text.split(".").map(Number)) as [
    number[],
    number[],
  ];
  return epochA > epochB || (epochA === epochB && tokenA > tokenB);
}
