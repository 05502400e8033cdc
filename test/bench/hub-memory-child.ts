import { text } from "node:stream/consumers";
import { secret, SshServer } from "@hostwright/core";
import { testTarget } from "../../packages/core/test/test-target.ts";
import type { TestHost } from "../../packages/testing/src/containers/test-host.ts";
import { PARTS, type Ground } from "./hub-memory-parts.ts";

/** What the process gets by its input. */
export interface Order extends Pick<Ground, "source" | "files" | "commands" | "floods" | "connections" | "stallMs"> {
  readonly host: Pick<TestHost, "name" | "address" | "port" | "user" | "hostKey" | "privateKey">;
  readonly parts: readonly string[];
}

/** What it says, a line for each part and one before the first. */
export interface Said {
  readonly part: string;
  /** The most that the process ever had, as the kernel counts it. */
  readonly peakMb: number;
}

const KB_A_MB = 1024;

function say(part: string): void {
  const said: Said = { part, peakMb: Math.round(process.resourceUsage().maxRSS / KB_A_MB) };
  process.stdout.write(`${JSON.stringify(said)}\n`);
}

const { host, parts, ...rest } = JSON.parse(await text(process.stdin)) as Order;
const { name, address, port, user, hostKey } = host;
const privateKey = secret(host.privateKey);
const connect = (): SshServer => new SshServer({ name, host: address, port, user, hostKeys: [hostKey], privateKey });
const server = connect();
const ground: Ground = { ...rest, server, target: testTarget({}, server), connect };
say("start");
for (const part of parts) {
  await PARTS[part]?.(ground);
  say(part);
}
await server.close();
