import { SERVERS, type Case } from "./case.ts";

/** `server place` to value. */
export type World = ReadonlyMap<string, string>;
/** `server place owner` to what is registered, the hash by the value that it is of. */
export type Register = ReadonlyMap<string, { readonly shared: boolean; readonly value: string | null }>;

export interface Expected {
  /** Codes of errors of which planning must give one; empty: it must not be refused. */
  readonly refused: ReadonlySet<string>;
  readonly before: World;
  readonly after: World;
  readonly registerBefore: Register;
  readonly registerAfter: Register;
}

export function ownerOf({ kind }: Pick<Case, "kind">): string {
  return kind === "server" ? "server/web0" : "site/s1";
}

export const OTHER_OWNER = "site/s2";

/** What a case must come to, said as simply as can be and without the engine. */
export function expectedOf(plan: Case): Expected {
  const owner = ownerOf(plan);
  const before = new Map<string, string>();
  const registerBefore = new Map<string, { shared: boolean; value: string | null }>();
  for (const { server, type, name, value, holder } of plan.start) {
    const at = `${SERVERS[server]} ${type} ${name}`;
    before.set(at, value);
    const row = { shared: name === "shared", value };
    if (holder === "own" || holder === "both") registerBefore.set(`${at} ${owner}`, row);
    if (holder === "other" || holder === "both") registerBefore.set(`${at} ${OTHER_OWNER}`, row);
  }
  const after = new Map(before);
  const registerAfter = new Map(registerBefore);
  const refused = new Set<string>();
  const declared = new Set<string>();
  for (const { at, value, shared } of itemsOf(plan)) {
    const isOwn = registerBefore.has(`${at} ${owner}`);
    const isOthers = registerBefore.has(`${at} ${OTHER_OWNER}`);
    if (isOthers && !shared) refused.add("HW_RESOURCE_CONFLICT");
    if (before.has(at) && !isOwn && !isOthers && owner.startsWith("site/")) refused.add("HW_RESOURCE_FOREIGN");
    declared.add(at);
    after.set(at, value);
    registerAfter.set(`${at} ${owner}`, { shared, value });
  }
  for (const at of droppedBy(plan, registerBefore, declared)) {
    registerAfter.delete(`${at} ${owner}`);
    if (!registerBefore.has(`${at} ${OTHER_OWNER}`)) after.delete(at);
  }
  const changed = [...new Set([...before.keys(), ...after.keys()])].some((at) => before.get(at) !== after.get(at));
  const always = plan.steps.some((step) => step.kind === "run" && step.when === "always");
  plan.steps.forEach((step, index) => {
    if (step.kind === "ensure" || !(always || changed)) return;
    for (const half of ["1", "2"]) after.set(`${SERVERS[step.server]} part op${index}-${half}`, "done");
  });
  return { refused, before, after, registerBefore, registerAfter };
}

function itemsOf(plan: Case): { readonly at: string; readonly value: string; readonly shared: boolean }[] {
  return plan.steps.flatMap((step) =>
    step.kind === "run"
      ? []
      : step.items.map(({ type, name, value }) => ({
          at: `${SERVERS[step.server]} ${type} ${name}`,
          value,
          shared: name === "shared",
        })),
  );
}

/** What the owner has and declares no longer, where a step of the plan sees to things of that type on that server. */
function droppedBy(plan: Case, register: Register, declared: ReadonlySet<string>): string[] {
  return [...register.keys()]
    .filter((row) => row.endsWith(` ${ownerOf(plan)}`))
    .map((row) => row.slice(0, row.lastIndexOf(" ")))
    .filter((at) => !declared.has(at))
    .filter((at) => {
      const [server, type] = at.split(" ");
      return plan.steps.some(
        (step) =>
          step.kind === "ensure" && SERVERS[step.server] === server && step.remove.some((removed) => removed === type),
      );
    });
}
