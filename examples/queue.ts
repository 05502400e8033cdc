import { createHostwright, install, type Plugin } from "@hostwright/core";

/** A process that only submits: it works nothing itself, and holds neither key nor credentials. */
export async function panel(stateDir: string, plugins: readonly Plugin[]): Promise<string> {
  await using hw = await createHostwright({ stateDir, plugins, role: "submit" });
  const task = await hw.submit(install("example.com", { platform: "wp-6.8" }), { key: "order-4711" });
  return task.id; // the same key and request give the same task
}

/** Another process on the same machine: works what is queued, four tasks at once, until it is told to stop. */
export async function worker(stateDir: string, plugins: readonly Plugin[], stop: AbortSignal): Promise<void> {
  await using hw = await createHostwright({ stateDir, plugins });
  const events = hw.events({ after: "now", signal: stop }); // after: seq, to go on where a reader stopped
  await using _working = hw.work({ concurrency: 4 });
  for await (const event of events) {
    console.log(event.seq, event.task, event.type, event.payload);
  }
}

/** Waits for a task wherever it is worked; never rejects because the task failed. */
export async function wait(stateDir: string, plugins: readonly Plugin[], id: string): Promise<string> {
  await using hw = await createHostwright({ stateDir, plugins });
  const { state, value, error, residue } = await hw.task(id).outcome();
  console.log(value, error, residue);
  return state; // "succeeded", "undone" or "needs-attention"
}
