import type { LeaseRequest, StoredTask } from "../../src/contracts/store.ts";
import type { StoredOutcome } from "../../src/engine/workers/stored-outcome.ts";
import { SECRETS } from "../../src/store/tables/secrets.ts";
import { CLAIMS, RECORDS } from "../../src/store/tables/records.ts";
import { REGISTER } from "../../src/store/tables/register.ts";
import { COMMITS } from "../../src/store/tables/tasks.ts";
import { SERVERS } from "./case.ts";
import { aboutOf, DOMAIN, SECRET, TITLE } from "./model-task.ts";
import type { Stage } from "./stage.ts";

/** What must hold when a task has come to its end, however it came there; adds to `stage.wrong` what does not. */
export async function judge(stage: Stage, task: StoredTask): Promise<void> {
  const outcome = task.outcome as StoredOutcome;
  const left = (stage.left = leftovers(stage, outcome));
  if (task.state === "undone" && outcome.residue.length > 0) say(stage, "undone, but it left something");
  if (task.state === "needs-attention" && outcome.residue.length === 0) say(stage, "needs attention for nothing");
  if ((task.state === "succeeded") !== (stage.tables.find(COMMITS, { task: task.id }) !== undefined))
    say(stage, `${task.state} against the commit`);
  judgeWorld(stage, task, left);
  judgeRegister(stage, task, left);
  judgeRecords(stage, task);
  judgeJournal(stage, task, left);
  await judgeLeases(stage, task);
}

function say(stage: Stage, what: string): void {
  stage.wrong.push(what);
}

/** `server place` of all that is listed as left; of a step that runs, both of its halves. */
function leftovers({ plan, expected }: Stage, outcome: StoredOutcome): ReadonlySet<string> {
  return new Set(
    outcome.residue.flatMap(({ server, type, key }) => {
      if (type !== "run") return [`${server} ${type} ${key}`];
      // The store failed after the commit row: what was still to come is left as a whole.
      if (key === TITLE) return [...expected.before.keys(), ...expected.after.keys(), TITLE];
      const index = plan.steps.findIndex((_step, number) => key === `step ${number}`);
      return [`${server} part op${index}-1`, `${server} part op${index}-2`];
    }),
  );
}

function judgeWorld(stage: Stage, { state }: StoredTask, left: ReadonlySet<string>): void {
  const { before, after } = stage.expected;
  const whole = state === "succeeded" ? after : before;
  const present = new Map(
    stage.hosts.flatMap(({ name, things }) => [...things].map(([place, { value }]) => [`${name} ${place}`, value])),
  );
  for (const at of new Set([...before.keys(), ...after.keys(), ...present.keys()])) {
    const value = present.get(at);
    const byHand = stage.meddled.get(at);
    if (byHand !== undefined) {
      if (value !== byHand) say(stage, `${at} was changed by hand, and is ${value} now`);
    } else if (left.has(at)) {
      if (value !== before.get(at) && value !== after.get(at)) say(stage, `${at} is neither old nor new: ${value}`);
    } else if (value !== whole.get(at)) {
      say(stage, `${at} is ${value} and not ${whole.get(at)} when ${state}`);
    } else {
      judgeFreshness(stage, at);
    }
  }
  for (const at of left) {
    if (at !== TITLE && !at.includes(" part ") && !before.has(at) && !after.has(at))
      say(stage, `${at} is listed and is nothing of it`);
  }
}

/** What follows another has taken up its state, unless that was changed by hand or is left. */
function judgeFreshness(stage: Stage, at: string): void {
  const [server = "", type = "", name = ""] = at.split(" ");
  const file = `${server} file ${name}`;
  const declared = stage.plan.steps.some(
    (step) =>
      step.kind === "ensure" &&
      SERVERS[step.server] === server &&
      step.items.some((item) => item.type === "unit" && item.name === name),
  );
  const state = stage.host(server)?.read(`${type} ${name}`)?.value ?? "";
  if (declared && state.endsWith("(stale)") && !stage.meddled.has(file) && !stage.left.has(file)) {
    say(stage, `${at} did not take up what it follows`);
  }
}

function judgeRegister(stage: Stage, { state }: StoredTask, left: ReadonlySet<string>): void {
  const { registerBefore, registerAfter, before, after } = stage.expected;
  const whole = state === "succeeded" ? registerAfter : registerBefore;
  const rows = new Map(
    stage.tables.all(REGISTER).map((row) => [`${row.server} ${row.type} ${row.key} ${row.owner}`, row]),
  );
  for (const name of new Set([...registerBefore.keys(), ...registerAfter.keys(), ...rows.keys()])) {
    const at = name.slice(0, name.lastIndexOf(" "));
    if (stage.meddled.has(at)) continue;
    const row = rows.get(name);
    if (left.has(at)) {
      const thing = stage.host(at.split(" ")[0] ?? "")?.things.get(at.slice(at.indexOf(" ") + 1));
      const isOurs = thing !== undefined && !before.has(at) && thing.value === after.get(at);
      if (isOurs && row === undefined) say(stage, `${at} was left, and nobody has it registered`);
      continue;
    }
    const wanted = whole.get(name);
    if ((row === undefined) !== (wanted === undefined))
      say(stage, `${name} is ${row ? "" : "not "}registered when ${state}`);
    if (row === undefined || wanted === undefined) continue;
    const hash = wanted.value === null ? null : stage.hash(row.type, wanted.value);
    if (row.hash !== hash || (row.shared === 1) !== wanted.shared)
      say(stage, `${name} is registered otherwise when ${state}`);
  }
}

function judgeRecords(stage: Stage, { state }: StoredTask): void {
  const { plan, tables } = stage;
  const has = tables.find(RECORDS, { kind: "site", id: "s1" }) !== undefined;
  const hasSecret = tables.find(SECRETS, { id: SECRET }) !== undefined;
  const wanted = plan.kind === "install" ? state !== "undone" : plan.kind === "delete" ? state !== "succeeded" : true;
  if (has !== wanted) say(stage, `the site's record is ${has ? "still" : "not"} there when ${state}`);
  if (hasSecret !== wanted && !stage.left.has(TITLE))
    say(stage, `the site's secret is ${hasSecret ? "still" : "not"} there when ${state}`);
  const claimed = tables.find(CLAIMS, { kind: "site", name: DOMAIN }) !== undefined;
  if (claimed !== (plan.kind === "install" && state !== "undone"))
    say(stage, `the name is ${claimed ? "still" : "not"} reserved`);
}

function judgeJournal(stage: Stage, { id, state }: StoredTask, left: ReadonlySet<string>): void {
  const rows = stage.journalOf(id);
  if (state !== "needs-attention" && rows.some((row) => row.undo !== null)) say(stage, "prior states were kept");
  const actions = stage.planOf(id)?.actions ?? [];
  for (const [index, action] of actions.entries()) {
    const own = rows.filter((row) => row.action === index);
    const isDone = own.some((row) => row.phase === "do" && row.state === "done");
    const isBegun = own.some((row) => row.phase === "do" && row.state === "begun");
    const isUndone = own.some((row) => row.phase === "undo" && row.state === "done");
    if (state === "succeeded" && action.phase === "prepare" && !isDone) say(stage, `action ${index} has no outcome`);
    if (state === "succeeded" && action.phase === "clean-up" && !isDone && left.size === 0)
      say(stage, `clean-up ${index} is not done, and not listed`);
    if (state === "undone" && isBegun && !isUndone) say(stage, `action ${index} was begun and never undone`);
  }
}

/** What is still leased belongs to a task that needs attention, or goes to whoever asks. */
async function judgeLeases(stage: Stage, { id, state }: StoredTask): Promise<void> {
  const { leases } = stage.store;
  const { life } = stage.hire();
  const alone = (scope: string): LeaseRequest => ({ scope, mode: "exclusive" });
  const site = aboutOf(stage.plan).map(alone);
  const servers = SERVERS.map((name) => alone(`server/${name}`));
  const ask = async (wanted: readonly LeaseRequest[]): Promise<boolean> =>
    wanted.length === 0 || "granted" in (await leases.acquire("probe", life.holder, wanted));
  if (!(await ask(servers))) say(stage, `servers are leased when ${state}`);
  const isFree = site.length > 0 && (await ask(site));
  await leases.release("probe");
  if (isFree !== (state !== "needs-attention" && site.length > 0))
    say(stage, `the site is ${isFree ? "free" : "leased"} when ${state}`);
  const others = (await leases.list()).filter(
    (lease) => lease.task === id && stage.lives.get(lease.holder)?.dead === false,
  );
  if (state !== "needs-attention" && others.length > 0) say(stage, `${others[0]?.scope} is leased when ${state}`);
}
