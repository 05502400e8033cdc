import {
  createHostwright,
  preview,
  type Hostwright,
  type Plugin,
  type PlanApproval,
  type PreviewValue,
  type TaskPage,
  type TaskRequest,
} from "@hostwright/core";

/** A panel's process: it holds no key and no credentials of servers. */
export async function openPanel(stateDir: string, plugins: readonly Plugin[]): Promise<Hostwright> {
  return createHostwright({ stateDir, plugins, role: "submit" });
}

/** A worker makes the plan; the panel shows `text`, and sends `plan` and `hash` to the browser. */
export async function show(hw: Hostwright, user: string, request: TaskRequest): Promise<PreviewValue> {
  const task = await hw.as({ id: user }).submit(preview(request));
  return task.result();
}

/** What comes back from the browser is two words; the worker runs the plan that it sealed itself. */
export async function approve(hw: Hostwright, user: string, approval: PlanApproval): Promise<string> {
  const task = await hw.as({ id: user }).submit(approval, { key: approval.plan });
  return task.id;
}

/** What is going on, or went wrong, with a site: as much as this user may see. */
export async function history(hw: Hostwright, user: string, domain: string): Promise<readonly string[]> {
  const lines: string[] = [];
  let after: string | null = null;
  do {
    const page: TaskPage = await hw.as({ id: user }).tasks.list({ subject: domain, after });
    lines.push(...page.tasks.map(({ title, state, createdAt }) => `${createdAt} ${title}: ${state}`));
    after = page.next;
  } while (after !== null && lines.length < 200);
  return lines;
}

/** Live, from now on, until the browser goes away. */
export async function live(hw: Hostwright, user: string, send: (line: string) => void, gone: AbortSignal) {
  for await (const { task, type } of hw.as({ id: user }).events({ after: "now", signal: gone })) {
    send(`${task ?? "-"} ${type}`);
  }
}
