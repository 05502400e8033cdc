import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestHost } from "../hosts/hosts.ts";
import { run } from "../../packages/testing/src/containers/run.ts";

const PIPE = `tar -C "$1" -c . | ssh -q -i "$2" -p "$3" -o BatchMode=yes -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null "$4" "mkdir -p $5 && tar -C $5 -x --no-same-owner"`;

/** Copies a tree of this machine onto a host, root-owned there. */
export async function pushTree(host: TestHost, source: string, target: string): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "push-"));
  try {
    await writeFile(join(folder, "key"), host.privateKey, { mode: 0o600 });
    await run("sh", [
      "-c",
      PIPE,
      "sh",
      source,
      join(folder, "key"),
      String(host.port),
      `${host.user}@${host.address}`,
      target,
    ]);
  } finally {
    await rm(folder, { recursive: true });
  }
}
