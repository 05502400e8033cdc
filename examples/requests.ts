import { moveDatabase, verify, type Hostwright, type TaskRequest } from "@hostwright/core";

export async function setRight(hw: Hostwright, domain: string, moveTo: string | null): Promise<void> {
  const requests: TaskRequest[] = [verify(domain)];
  if (moveTo !== null) requests.push(moveDatabase(domain, moveTo));
  for (const request of requests) await hw.run(request);
}

/** The same request, after it lay somewhere as text. */
export async function later(hw: Hostwright, stored: string): Promise<string> {
  const task = await hw.submit(hw.request(JSON.parse(stored)));
  return task.id;
}
