import { HostwrightError } from "../../errors/hostwright-error.ts";
import type { CommandResult, Script, Server } from "../../model/server.ts";
import { runChecked } from "../../servers/checked.ts";
import { REAP } from "../../servers/session-reaper.ts";
import { CLAIM_FILE, CLAIMED, throwIfClaimed } from "./claim.ts";

/** How far a store has come, or a server has seen it: see `LeaseStore.lastToken`. */
export interface FenceMark {
  readonly epoch: number;
  readonly token: number;
}

/** What a task's mutating scripts show to a server before they may work there (decisions.md D12). */
export interface Fence extends FenceMark {
  /** The lease's scope, `site/s7k2m9xq4t`. */
  readonly scope: string;
  readonly installation: string;
  /** For people who find the installation's claim on a server: see `homeOf`. */
  readonly home: string;
  /** How far the store has come up to now: a server that saw more saw a later store than this one. */
  latest(): Promise<FenceMark>;
}

const FENCED = 121;
export const FENCE_FOLDER = "/var/lib/hostwright/fence";

/** How long a script of an earlier holder may go on before it is ended. */
const GRACE_SECONDS = 10;

// take LOCK INSTALLATION EPOCH TOKEN SECONDS: takes the flock on 6, which is LOCK. LOCK holds who has it: installation,
// epoch, token, process, session and start. The script inherits the flock with all that it starts, so that it stands as
// long as any of them lives, were all others killed. A worker that is stopped, or whose line hangs, leaves its script
// waiting for input, and the flock with it: who comes later ends the sessions that share it, which are nobody else's. So
// does the script's own task where the process is dead that has to tell of its end. Who got the flock just now is left
// alone: the note is another one after the pause.
const TAKE = `
session_of() {
  { read -r line < "/proc/$1/stat"; } 2>/dev/null || return 0
  set -- \${line##*) }
  case $1 in Z | X) ;; *) echo "$4 \${20}" ;; esac
}
may_end() {
  [ $# -eq 9 ] && [ "$4" = "$1" ] || return 1
  [ "$5" -eq "$2" ] || { [ "$5" -lt "$2" ]; return; }
  [ "$6" -lt "$3" ] || { [ "$6" -eq "$3" ] && [ "$(session_of "$7")" != "$8 $9" ]; }
}
sharing() {
  for fd in /proc/[0-9]*/fd/6; do
    [ "$fd" -ef "$1" ] && grep -qs ^lock: "\${fd%/fd/6}/fdinfo/6" || continue
    process=\${fd#/proc/}
    session=$(session_of "\${process%/fd/6}")
    [ -z "$session" ] || echo "KILL:\${session% *}"
  done
}
end_earlier() {
  read -r note < "$1" && may_end "$2" "$3" "$4" $note || return 0
  sessions=$(sharing "$1")
  sleep 0.1
  read -r now < "$1" && [ "$now" = "$note" ] || return 0
  sh -c '${REAP}' sh $sessions > /dev/null
}
take() { until flock -w "$5" 6; do [ $? -eq 1 ] || exit 1; end_earlier "$@"; done; }
`;

// own DIR INSTALLATION HOME: the first to change a server claims it, and then it alone may (decisions.md D57). Holds the
// gate open on 7: only through an empty one the server passes to another. A link is made whole or not at all.
const OWN = `
own() {
  claim=$1/${CLAIM_FILE}
  : >>"$claim.gate" && exec 7<"$claim.gate" && flock -s 7 || exit 1
  if [ ! -e "$claim" ]; then
    umask 077
    printf '%s %s %s\\n' "$2" "$(date -u +%Y-%m-%dT%H:%M:%SZ)" "$3" > "$claim.$$" && sync "$claim.$$" || exit 1
    ln "$claim.$$" "$claim" 2>/dev/null || [ -e "$claim" ] || exit 1
    rm "$claim.$$"
  fi
  read -r owner rest < "$claim" || exit 1
  [ "$owner" = "$2" ] || { echo "claimed $owner $rest"; exit ${CLAIMED}; }
}
`;

// Arguments: folder, scope file, installation, epoch, token, how far the store has come, grace, home, script, its arguments. The
// script runs under the scope's flock and only while no higher epoch or token was seen there; a first or higher one is
// recorded, with the boot in which that was. One more file holds how far the store was seen to come by any scope: by it the
// first script of a task tells a store that was restored from a backup, and one raised epoch fences all scopes.
const WRAPPER = `${TAKE}${OWN}
set -u
dir=$1; file=$2; installation=$3; epoch=$4; token=$5; latest=$6; grace=$7; home=$8; inner=$9; shift 9
[ -d "$dir" ] || { umask 077; mkdir -p "$dir"; chmod 700 "\${dir%/*}" "$dir"; } || exit 1
own "$dir" "$installation" "$home"
: >>"$dir/$file.lock" && exec 6<"$dir/$file.lock" || exit 1
take "$dir/$file.lock" "$installation" "$epoch" "$token" "$grace"
top=$dir/highest-$installation
highest() { top_epoch=0 top_token=0; [ ! -s "$top" ] || read -r top_epoch top_token < "$top"; }
fenced() { echo "$1 $2 $3 $top_epoch $top_token"; exit ${FENCED}; }
seen_installation= seen_epoch=0 seen_token=0
[ ! -s "$dir/$file" ] || read -r seen_installation seen_epoch seen_token seen_boot < "$dir/$file"
highest
if [ "$seen_installation" = "$installation" ]; then
  if [ "$seen_epoch" -gt "$epoch" ] || { [ "$seen_epoch" -eq "$epoch" ] && [ "$seen_token" -gt "$token" ]; }; then
    fenced scope "$seen_epoch" "$seen_token"
  fi
fi
[ "$top_epoch" -le "$epoch" ] || fenced scope 0 0
seen="$seen_installation $seen_epoch $seen_token"; own="$installation $epoch $token"
if [ "$seen" != "$own" ] && [ "$top_epoch" -eq "$epoch" ] && [ "$top_token" -gt "$latest" ]; then fenced store 0 0; fi
# On a full disk it is not written, and then nobody ends this one: an undo there is worth more.
printf '%s %s %s\\n' "$own" $$ "$(session_of $$)" 2>/dev/null > "$dir/$file.lock"
if [ "$seen" != "$own" ]; then
  read -r boot < /proc/sys/kernel/random/boot_id || exit 1
  printf '%s %s\\n' "$own" "$boot" > "$dir/$file.new" && mv "$dir/$file.new" "$dir/$file" || exit 1
fi
if [ "$top_epoch" -lt "$epoch" ] || [ "$top_token" -lt "$latest" ]; then
  exec 8>>"$top.lock" && flock 8 || exit 1
  highest
  if [ "$top_epoch" -lt "$epoch" ] || { [ "$top_epoch" -eq "$epoch" ] && [ "$top_token" -lt "$latest" ]; }; then
    printf '%s %s\\n' "$epoch" "$latest" > "$top.new" && mv "$top.new" "$top" || exit 1
  fi
  exec 8>&-
fi
sh -c "$inner" sh "$@"
code=$?
# What it left running does not hold the fence. What lives on after one that was killed is its work, and does.
[ "$code" -gt 128 ] || { flock -u 6; flock -u 7; }
exit "$code"
`;

function fileOf(scope: string): string {
  return scope.replaceAll("/", "-");
}

/**
 * Runs a script that changes the server, under the fence. @throws HW_SERVER_CLAIMED when another installation has the
 * server, which is this one's from its first change on; HW_LEASE_LOST when a later holder was there;
 * HW_STORE_RESTORED when the server saw a later store than ours. A script of an earlier holder that still runs there is given
 * `graceSeconds` to end by itself, and then ended. The last two are others in tests only.
 */
export async function runFenced(
  server: Server,
  fence: Fence,
  script: Script,
  folder: string = FENCE_FOLDER,
  graceSeconds: number = GRACE_SECONDS,
): Promise<CommandResult> {
  // A stream can be sent once, and what was said into one cannot be taken back: what may refuse it is asked before.
  if (isStream(script.stdin) || script.stdout !== undefined)
    await runFenced(server, fence, { script: ":" }, folder, graceSeconds);
  for (;;) {
    const known = await fence.latest();
    const result = await server.script({
      ...script,
      script: WRAPPER,
      args: [
        folder,
        fileOf(fence.scope),
        fence.installation,
        String(fence.epoch),
        String(fence.token),
        String(known.token),
        String(graceSeconds),
        fence.home,
        script.script,
        ...(script.args ?? []),
      ],
    });
    // Where the output goes elsewhere, a refusal's words went with it.
    if (script.stdout !== undefined && (result.exitCode === FENCED || result.exitCode === CLAIMED))
      await runFenced(server, fence, { script: ":" }, folder, graceSeconds);
    throwIfClaimed(server.name, result);
    if (result.exitCode !== FENCED) return result;
    const seen = parseSeen(result.stdout.toString());
    if (seen === null) return result;
    const latest = await fence.latest();
    if (isLater(seen.scope, latest) || isLater(seen.store, latest)) throw restored(server, fence);
    // What others did in the store while it was on its way fences nobody.
    if (seen.by === "scope") throw lost(server, fence);
  }
}

function isStream(stdin: Script["stdin"]): boolean {
  return typeof stdin === "object" && !(stdin instanceof Uint8Array);
}

interface Seen {
  readonly by: "scope" | "store";
  readonly scope: FenceMark;
  readonly store: FenceMark;
}

function parseSeen(output: string): Seen | null {
  const match = /^(scope|store)((?: \d+){4})\n$/.exec(output);
  if (match === null) return null;
  const [epoch = 0, token = 0, topEpoch = 0, topToken = 0] = (match[2] ?? "").trim().split(" ").map(Number);
  return { by: match[1] as Seen["by"], scope: { epoch, token }, store: { epoch: topEpoch, token: topToken } };
}

function isLater(seen: FenceMark, known: FenceMark): boolean {
  return seen.epoch > known.epoch || (seen.epoch === known.epoch && seen.token > known.token);
}

function lost(server: Server, { scope }: Fence): HostwrightError {
  return new HostwrightError(
    "HW_LEASE_LOST",
    `${server.name} has seen a later holder of ${scope}: this worker changed nothing more there.`,
    { server: server.name },
  );
}

function restored(server: Server, { scope }: Fence): HostwrightError {
  return new HostwrightError(
    "HW_STORE_RESTORED",
    `${server.name} has seen a later state of this installation than its store knows. Nothing was changed there for ${scope}.`,
    { server: server.name },
  );
}

// Arguments: folder, scope file. Ends with 0 when the server still is in the boot in which the scope's fence was raised.
const SAME_BOOT = `
read -r installation epoch token boot < "$1/$2" && read -r now < /proc/sys/kernel/random/boot_id && [ "$boot" = "$now" ]
`;

/** Has the server run on without a restart since the task's first change there? False where nobody knows. */
export async function ranOn(
  server: Server,
  { scope }: Pick<Fence, "scope">,
  signal: AbortSignal,
  folder: string = FENCE_FOLDER,
): Promise<boolean> {
  const { exitCode } = await server.script({ script: SAME_BOOT, args: [folder, fileOf(scope)], signal });
  return exitCode === 0;
}

// Arguments: folder, installation, epoch, first and last number, grace. Fences every scope at once, then waits until what
// began before has ended, or ends it. Prints the highest number of a user or group in the range, or 0.
const RAISE = `${TAKE}
set -u
dir=$1; top=$1/highest-$2; epoch=$3; first=$4; last=$5; grace=$6
[ -d "$dir" ] || { umask 077; mkdir -p "$dir"; chmod 700 "\${dir%/*}" "$dir"; } || exit 1
owner=$2
[ ! -e "$dir/${CLAIM_FILE}" ] || read -r owner rest < "$dir/${CLAIM_FILE}" || exit 1
[ "$owner" = "$2" ] || { echo "claimed $owner $rest"; exit ${CLAIMED}; }
exec 8>>"$top.lock" && flock 8 || exit 1
top_epoch=0
[ ! -s "$top" ] || read -r top_epoch top_token < "$top"
if [ "$top_epoch" -lt "$epoch" ]; then
  printf '%s 0\\n' "$epoch" > "$top.new" && mv "$top.new" "$top" && sync -f "$dir" || exit 1
fi
exec 8>&-
for lock in "$dir"/*.lock; do
  [ "$lock" != "$top.lock" ] || continue
  exec 6<"$lock" || exit 1
  take "$lock" "$2" "$epoch" 0 "$grace"
done
exec 6<&-
highest=0
{ getent passwd; getent group; } | {
  while IFS=: read -r name password number rest; do
    if [ "$number" -ge "$first" ] && [ "$number" -le "$last" ] && [ "$number" -gt "$highest" ]; then highest=$number; fi
  done
  echo "$highest"
}
`;

/**
 * Fences workers of lower epochs out of all scopes on a server. @returns the highest unix id in the range that is in use
 * there; 0 when none is. @throws HW_SERVER_CLAIMED; HW_COMMAND_FAILED when another installation's script ran on for three minutes
 */
export async function raiseFence(
  server: Server,
  identity: Pick<Fence, "installation" | "epoch">,
  range: { readonly from: number; readonly to: number },
  folder: string = FENCE_FOLDER,
  graceSeconds: number = GRACE_SECONDS,
): Promise<number> {
  const args = [folder, identity.installation, identity.epoch, range.from, range.to, graceSeconds].map(String);
  const result = await server.script({ script: RAISE, args, timeoutMs: 180_000 });
  throwIfClaimed(server.name, result);
  const { exitCode, stdout, stderr } = result;
  if (exitCode === 0) return Number(stdout.toString());
  throw new HostwrightError("HW_COMMAND_FAILED", `The fence of ${server.name} could not be raised.`, {
    server: server.name,
    output: stderr,
    remedy: "Look what still runs there for this installation, then raise the epoch again.",
  });
}

/** Forgets a scope that no longer exists (a deleted or undone site). @throws as `runChecked` */
export async function dropFence(server: Server, scope: string, folder: string = FENCE_FOLDER): Promise<void> {
  await runChecked(server, {
    script: `cd "$1" 2>/dev/null || exit 0; rm -f -- "$2" "$2.lock"`,
    args: [folder, fileOf(scope)],
  });
}
