import {
  createHostwright,
  preview,
  type Hostwright,
  type Plugin,
  type PlanApproval,
  type PreviewValue,
  type TaskRequest,
} from "@hostwright/core";

/** A panel's process: it holds no key and no credentials of servers. */
export async function openPanel(stateDir: string, plugins: readonly Plugin[]): Promise<Hostwright> {
  return createHostwright({ stateDir, plugins, role: "submit" });
}

/** A worker makes the plan; the panel shows `text`, and sends `plan` and `hash` to the browser. */
export async function show(hw: Hostwright, user: string, request: TaskRequest): Promise<PreviewValue> {
  const task = await hw.as({ id: user }).submit(preview(request));
  return (await task.result()) as unknown as PreviewValue;
}

/** What comes back from the browser is two words; the worker runs the plan that it sealed itself. */
export async function approve(hw: Hostwright, user: string, approval: PlanApproval): Promise<string> {
  const task = await hw.as({ id: user }).submit(approval, { key: approval.plan });
  return task.id;
}
