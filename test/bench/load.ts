import { setTimeout as delay } from "node:timers/promises";
import type { TestHost } from "../hosts/hosts.ts";
import type { Round } from "./pairs.ts";

/** What is asked for, and how often. */
export interface Load {
  readonly domain: string;
  readonly port: number;
  readonly path: string;
  /** Of one process. */
  readonly requests: number;
  /** Of one process, kept open. */
  readonly connections: number;
  /** Units whose processor time counts as the servers'. */
  readonly units: readonly string[];
}

/**
 * As many processes of ab as there are processors, so that together with the servers they leave none idle. `$1` port,
 * `$2` host, `$3` path, `$4` requests, `$5` connections, then the units.
 */
const AB = `set -e
url="http://127.0.0.1:$1$3" host=$2 requests=$4 connections=$5
shift 5
used() { systemctl show -P CPUUsageNSec "$@" | awk '{ sum += $1 } END { printf "%.0f\\n", sum }'; }
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
echo "processes $(nproc)"
echo "used $(used "$@")"
for process in $(seq "$(nproc)"); do
  ab -q -k -l -c "$connections" -n "$requests" -H "Host: $host" "$url" > "$dir/$process" 2>&1 &
done
wait
echo "used $(used "$@")"
cat "$dir"/*
`;

/** One round of load on the host's loopback. @throws when an answer is no 200, or none */
export async function load(
  host: TestHost,
  { domain, port, path, requests: each, connections, units }: Load,
): Promise<Round> {
  const values = [port, domain, path, each, connections].map(String);
  const said = await host.exec(["sh", "-c", AB, "sh", ...values, ...units], { timeoutMs: 120_000 });
  const numbers = (label: string): readonly number[] =>
    [...said.stdout.matchAll(new RegExp(`^${label}:? +([\\d.]+)`, "gm"))].map(([, value]) => Number(value));
  const [requests, bad] = [sum(numbers("Complete requests")), sum(numbers("(?:Failed requests|Non-2xx responses)"))];
  const asked = each * sum(numbers("processes"));
  const [before = Number.NaN, after = Number.NaN] = numbers("used");
  if (said.code !== 0 || requests !== asked || bad > 0 || !(after > before))
    throw new Error(`ab on port ${port}, ${path}: ${requests} of ${asked}, ${bad} wrong\n${said.stdout}${said.stderr}`);
  return {
    perSecond: requests / Math.max(...numbers("Time taken for tests")),
    perProcessorSecond: requests / ((after - before) / 1e9),
  };
}

/** Waits until something listens there. */
export async function listening(host: TestHost, port: number): Promise<void> {
  for (const until = Date.now() + 10_000; ; await delay(50)) {
    const asked = await host.exec(["curl", "-s", "-o", "/dev/null", `http://127.0.0.1:${port}/`]);
    if (asked.code === 0) return;
    if (Date.now() > until) throw new Error(`nothing answers on port ${port} of ${host.name}`);
  }
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
