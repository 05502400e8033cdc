import * as fc from "fast-check";
import {
  pendingPublication,
  publish,
  type PublishOptions,
  type PublishResult,
} from "../../src/engine/publishing/publisher.ts";
import { isHostwrightError } from "../../src/errors/hostwright-error.ts";
import { accepts, WebModel, type Point } from "./web-model.ts";

const NAMES = ["a.conf", "b.conf", "c.conf", "d.conf"];

/** Tasks one after the other or at once, each of which writes entries of its own and publishes. */
export interface WebCase {
  readonly names: boolean;
  readonly rounds: readonly {
    readonly tasks: readonly { readonly name: string; readonly text: string | null; readonly force: boolean }[];
    readonly foreign: boolean;
    readonly dies: Point | null;
  }[];
}

const task = fc.record({
  name: fc.constantFrom(...NAMES),
  text: fc.constantFrom<(string | null)[]>("good", "better", "good", "bad", "beside", "kills", null),
  force: fc.constantFrom(false, false, false, true),
});

export const webCases: fc.Arbitrary<WebCase> = fc.record({
  names: fc.boolean(),
  rounds: fc.array(
    fc.record({
      tasks: fc.uniqueArray(task, { minLength: 1, maxLength: 3, selector: ({ name }) => name }),
      foreign: fc.constantFrom(false, false, false, false, true),
      dies: fc.constantFrom<(Point | null)[]>(null, null, null, "copied", "switched", "reloaded"),
    }),
    { minLength: 1, maxLength: 5 },
  ),
});

export type Publish = typeof publish;

/** Plays a case: whoever publishes, dies or is refused, what is in force is what the web server accepts. */
export async function playWeb(plan: WebCase, use: Publish = publish): Promise<readonly string[]> {
  const web = new WebModel(plan.names);
  const wrong: string[] = [];
  for (const [index, { tasks, foreign, dies }] of plan.rounds.entries()) {
    const say = (what: string): void => void wrong.push(`round ${index}: ${what}`);
    const old = web.loaded;
    web.foreign = foreign;
    web.dies = dies;
    for (const { name, text } of tasks) {
      if (text === null) web.entries.delete(name);
      else web.entries.set(name, text);
    }
    const ends = await Promise.all(tasks.map(async ({ name, force }) => attempt(use, web, { own: [name], force })));
    for (const [number, { name, text }] of tasks.entries()) {
      const { error, result } = ends[number] ?? { error: "none", result: null };
      const isIn = (web.inForce.get(name) ?? null) === text;
      if (result !== null && !isIn) say(`${name} was published, and is not in force`);
      if (error === "HW_HTTP_FOREIGN_CONFIG" && !foreign) say("a foreign file is blamed, and none is broken");
      if (error === "HW_HTTP_CONFIG_REFUSED" && text !== "bad" && text !== "beside")
        say(`${name} is good, and was refused`);
      if (error === "HW_HTTP_RELOAD_FAILED" && text !== "kills") say(`${name} does not fall over, and was refused`);
      if (text === "bad" && web.loaded.get(name) === text) say(`${name} is bad, and runs`);
    }
    // Without a death or a foreign file in the way the neighbours of what is refused are published.
    if (!foreign && dies === null) {
      const last = await attempt(use, web, { own: [] });
      if (last.result === null && last.error !== "HW_HTTP_RELOAD_FAILED") say(`a neighbour fails with ${last.error}`);
      judgeNeighbours(web, say);
      const pending = await pendingPublication(web.target, web.publication);
      if (last.result !== null && pending.waits) say("something waits after all was published");
    } else if (foreign && dies === null && plan.rounds[index - 1]?.dies === null && web.loaded !== old) {
      say("something else runs beside a broken foreign file");
    }
    web.dies = null;
    if (!accepts(web.loaded)) say("the web server runs what its test refuses");
    if (dies === null && (!accepts(web.inForce) || web.loaded !== web.inForce)) say("in force is what does not run");
  }
  return wrong;
}

/** Whatever is good by itself is in force as it was written last, unless something falls over beside it at the reload. */
function judgeNeighbours(web: WebModel, say: (what: string) => void): void {
  const falls = [...web.entries.values()].includes("kills");
  for (const [name, text] of web.entries) {
    if ((text === "good" || text === "better") && web.inForce.get(name) !== text && !falls)
      say(`${name} is good, and quarantined`);
  }
  for (const name of web.inForce.keys()) {
    if (!web.entries.has(name) && !falls) say(`${name} is removed, and still in force`);
  }
}

async function attempt(
  use: Publish,
  web: WebModel,
  options: PublishOptions,
): Promise<{ readonly error: string; readonly result: PublishResult | null }> {
  try {
    return { error: "", result: await use(web.target, web.publication, options) };
  } catch (error) {
    if (!isHostwrightError(error)) throw error;
    return { error: error.code, result: null };
  }
}
