import { HostwrightError } from "../errors/hostwright-error.ts";
import type { Target } from "../contracts/resource.ts";
import type { UnitProperty } from "../contracts/roles/runtime.ts";

export interface RemoteUnit {
  /** Names the transient unit `hostwright-<attempt>` and its folder on the server. */
  readonly attempt: string;
  readonly argv: readonly string[];
  readonly properties: readonly UnitProperty[];
  /** Reaches the command by a root-only file in memory (/run), which systemd opens before it drops privileges. */
  readonly stdin: string;
  readonly timeoutMs: number;
  /** Folders that it writes to: what is in them is on the disk when its end is told (decisions.md D10). */
  readonly writes: readonly string[];
}

export interface RemoteUnitResult {
  /** systemd's word: `success`, `exit-code`, `timeout`, `signal`, `oom-kill` ... */
  readonly result: string;
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

const OUTPUT_BYTES = 256 * 1024;

/** systemd's answer while the server shuts down: it is there again soon, or cannot be reached. */
const GOING_DOWN = / is destructive|[Ss]hutting down|Refusing activation/;

// Arguments: attempt, seconds, systemd-run's arguments. The unit outlives this script, the connection and the worker
// (decisions.md D6): it stays loaded after its end, with its result, until that was fetched. systemd has opened the input
// when systemd-run returns, so the file goes at once.
const START = `
set -eu
attempt=$1; seconds=$2; shift 2
dir=/var/lib/hostwright/attempts/$attempt
umask 077
mkdir -p "$dir" /run/hostwright
: > "$dir/out"; : > "$dir/err"
cat > "/run/hostwright/$attempt.in"
code=0
systemd-run --quiet --unit="hostwright-$attempt" -p Type=exec -p RemainAfterExit=yes \\
  -p "RuntimeMaxSec=$seconds" -p TimeoutStopSec=5 -p LimitFSIZE=67108864 -p "StandardInput=file:/run/hostwright/$attempt.in" \\
  -p "StandardOutput=append:$dir/out" -p "StandardError=append:$dir/err" "$@" || code=$?
rm -f "/run/hostwright/$attempt.in"
exit $code
`;

// Arguments: attempt, bytes, folders to sync. Waits for the end; prints result and exit status, then both outputs, base64.
const WAIT = `
unit=hostwright-$1; dir=/var/lib/hostwright/attempts/$1; bytes=$2; shift 2
show() { systemctl show -p "$1" --value "$unit"; }
while :; do
  case $(show SubState) in
    exited|failed|dead) break ;;
    *) pid=$(show MainPID); [ "\${pid:-0}" -gt 0 ] && tail -s 0.02 --pid="$pid" -f /dev/null || sleep 0.02 ;;
  esac
done
printf '%s %s\\n' "$(show Result)" "$(show ExecMainStatus)"
head -c "$bytes" "$dir/out" | base64 -w0; echo
head -c "$bytes" "$dir/err" | base64 -w0; echo
systemctl stop "$unit" 2>/dev/null; systemctl reset-failed "$unit" 2>/dev/null
rm -rf -- "$dir"
sync -f "\${dir%/*}" "$@" 2>/dev/null; :
`;

// What waits for a disk does not die of SIGKILL: systemd gives the unit up, and its processes would go on later.
const STOP = `
group=$(systemctl show -p ControlGroup --value "hostwright-$1")
systemctl stop "hostwright-$1" 2>/dev/null; systemctl reset-failed "hostwright-$1" 2>/dev/null
rm -rf -- "/var/lib/hostwright/attempts/$1" "/run/hostwright/$1.in"
for top in /sys/fs/cgroup /sys/fs/cgroup/systemd; do
  [ -z "$group" ] || [ -z "$(cat "$top$group/cgroup.procs" 2>/dev/null)" ] || exit 1
done
case $(systemctl is-active "hostwright-$1" 2>/dev/null) in active|activating|deactivating) exit 1 ;; esac
`;

/**
 * Runs a command as a transient unit and waits for its end. Cancel and time-out stop the unit itself.
 * @throws HW_CANCELLED, HW_SSH_LOST (the unit may still run), HW_COMMAND_FAILED when systemd refused to start it.
 */
export async function runRemoteUnit(target: Target, unit: RemoteUnit): Promise<RemoteUnitResult> {
  const { server, signal } = target;
  const started = await target.mutate({
    script: START,
    args: [
      unit.attempt,
      String(Math.ceil(unit.timeoutMs / 1000)),
      ...unit.properties.flatMap(([name, value]) => ["-p", `${name}=${value}`]),
      "--",
      ...unit.argv,
    ],
    stdin: unit.stdin,
  });
  if (started.exitCode !== 0) {
    await stopRemoteUnit(target, unit.attempt);
    throw new HostwrightError(
      "HW_COMMAND_FAILED",
      `${server.name} could not start a unit for ${unit.argv[0] ?? "a command"}.`,
      {
        server: server.name,
        output: bounded(started.stderr),
        retryable: GOING_DOWN.test(started.stderr),
      },
    );
  }
  const waited = await server.script({
    script: WAIT,
    args: [unit.attempt, String(OUTPUT_BYTES), ...unit.writes],
    timeoutMs: unit.timeoutMs + 30_000,
    signal,
  });
  if (waited.aborted || signal.aborted) {
    await stopRemoteUnit(target, unit.attempt);
    throw new HostwrightError("HW_CANCELLED", `The command on ${server.name} was stopped.`, { server: server.name });
  }
  const [status = "", out = "", err = ""] = waited.stdout.toString("utf8").split("\n");
  const [result = "", exitStatus = ""] = status.split(" ");
  if (waited.exitCode !== 0 || result === "") {
    await stopRemoteUnit(target, unit.attempt);
    throw new HostwrightError("HW_COMMAND_FAILED", `The result of a command on ${server.name} was lost.`, {
      server: server.name,
      output: bounded(waited.stderr),
    });
  }
  return { result, exitCode: Number(exitStatus), stdout: decode(out), stderr: decode(err) };
}

/**
 * Stops the unit of an attempt and removes what it left; the unit is seen gone when this returns.
 * @throws HW_COMMAND_TIMEOUT when something of it lives on
 */
export async function stopRemoteUnit({ server }: Pick<Target, "server">, attempt: string): Promise<void> {
  const { exitCode, timedOut, stderr } = await server.script({ script: STOP, args: [attempt], timeoutMs: 30_000 });
  if (exitCode === 0 && !timedOut) return;
  throw new HostwrightError(
    "HW_COMMAND_TIMEOUT",
    `A command on ${server.name} was stopped but did not end, not even by SIGKILL.`,
    {
      server: server.name,
      output: bounded(stderr),
      remedy: `Look at the server: systemctl status hostwright-${attempt}. A process in state D waits for a disk or a network file system.`,
      data: { attempt, survived: true },
    },
  );
}

function decode(base64: string): string {
  return bounded(Buffer.from(base64, "base64").toString("utf8"), OUTPUT_BYTES);
}

/** Output for people: no control characters but newline and tab (decisions.md D24). */
export function bounded(text: string, length = 4_000): string {
  // oxlint-disable-next-line no-control-regex -- they are what is taken out
  const clean = text.replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, "");
  return clean.length <= length ? clean : `... ${clean.slice(-length)}`;
}
