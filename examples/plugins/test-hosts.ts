import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { promisify } from "node:util";
import { type SshServerOptions } from "@hostwright/core";
import { secret } from "@hostwright/core/plugin";
import { sshHarness, type Harness } from "@hostwright/testing";

const machine = (name: string, host: string, hostKey: string): SshServerOptions => ({
  name,
  host,
  hostKeys: [hostKey],
  privateKey: secret(readFileSync(process.env["TEST_KEY"] ?? "test-key", "utf8")),
});

/** Two virtual machines of one's own: every suite takes as many as it needs. */
export const harness: Harness = sshHarness({
  machines: [
    machine("db", "192.0.2.21", process.env["TEST_DB_KEY"] ?? ""),
    machine("web", "192.0.2.22", process.env["TEST_WEB_KEY"] ?? ""),
  ],
  // Virtual machines with a snapshot that has all packages.
  reset: async (machines) => {
    for (const { name } of machines) await promisify(execFile)("virsh", ["snapshot-revert", name, "fresh"]);
  },
});
