import type { TestHost } from "../hosts/hosts.ts";

/** What a web server and systemd need while nobody asks for anything. */
export interface AtRest {
  /** Processes of the web server. */
  readonly processes: number;
  /** Open descriptors of the process that has most, and how many it may have. */
  readonly descriptors: number;
  readonly descriptorLimit: number;
  /** Of all its processes together, what they share counted once, in KiB. */
  readonly memoryKib: number;
  /** Active units of the host, of which so many sockets; and sites' PHP that runs. */
  readonly units: number;
  readonly sockets: number;
  readonly php: number;
  /** systemd itself, which holds the sockets. */
  readonly systemdDescriptors: number;
  readonly systemdMemoryKib: number;
}

const READ = `set -e
memory() { awk '/^Pss:/ { sum += $2 } END { print sum }' $(printf '/proc/%s/smaps_rollup ' "$@"); }
open_files() { for pid; do ls "/proc/$pid/fd" | wc -l; done | sort -n | tail -1; }
limit() { awk '/^Max open files/ { print $4 }' "/proc/$1/limits"; }
group=$(systemctl show -P ControlGroup "$1")
pids=$(for pid in /proc/[0-9]*; do ! grep -qsx ".*:$group" "$pid/cgroup" || echo "\${pid#/proc/}"; done)
active() { systemctl list-units --state=active --plain --no-legend "$@" | wc -l; }
echo $(echo $pids | wc -w) $(open_files $pids) $(for pid in $pids; do limit "$pid"; done | sort -n | head -1) $(memory $pids)
echo $(active) $(active 'hostwright-php-*.socket') $(systemctl list-units --state=running --plain --no-legend 'hostwright-php-*.service' | wc -l)
echo $(open_files 1) $(memory 1)
`;

export async function atRest(host: TestHost, unit: string): Promise<AtRest> {
  const numbers = (await host.sh(`set -- ${unit}\n${READ}`)).trim().split(/\s+/).map(Number);
  const [processes, descriptors, descriptorLimit, memoryKib, units, sockets, php, ...systemd] = numbers;
  const [systemdDescriptors, systemdMemoryKib] = systemd;
  const read = { processes, descriptors, descriptorLimit, memoryKib, units, sockets, php };
  const all = { ...read, systemdDescriptors, systemdMemoryKib };
  if (Object.values(all).some((value) => value === undefined || Number.isNaN(value)))
    throw new Error(`${unit}: what it uses could not be read: ${numbers.join(" ")}`);
  return all as AtRest;
}

export interface Answered {
  readonly status: number;
  readonly bytes: number;
  /** Where it sends to, or "". */
  readonly to: string;
}

/** Asks for a path of each name over one connection. @returns the answers, in their order. */
export async function askAll(host: TestHost, names: readonly string[], path: string): Promise<readonly Answered[]> {
  const asked = names.map((name) =>
    [
      `url = "http://127.0.0.1${path}"`,
      `header = "Host: ${name}"`,
      'output = "/dev/null"',
      'write-out = "%{http_code} %{size_download} %{redirect_url}\\n"',
    ].join("\n"),
  );
  const { code, stdout, stderr } = await host.exec(["curl", "-sS", "-m", "20", "-K", "-"], {
    input: asked.join("\nnext\n"),
    timeoutMs: 120_000,
  });
  if (code !== 0) throw new Error(`curl: ${stderr}`);
  return stdout
    .trimEnd()
    .split("\n")
    .map((line) => line.split(" "))
    .map(([status, bytes, to = ""]) => ({ status: Number(status), bytes: Number(bytes), to }));
}
