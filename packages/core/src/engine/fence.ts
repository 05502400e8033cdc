import { HostwrightError } from "../errors/hostwright-error.ts";
import type { CommandResult, Script, Server } from "../contracts/server.ts";

/** What a task's mutating scripts show to a server before they may work there (decisions.md D12). */
export interface Fence {
  /** The lease's scope, `site/s7k2m9xq4t`. */
  readonly scope: string;
  readonly installation: string;
  readonly epoch: number;
  readonly token: number;
}

const FENCED = 121;
const FOLDER = "/var/lib/hostwright/fence";

// Arguments: folder, scope file, installation, epoch, token, script, its arguments. The script runs under the scope's flock and
// only while no higher epoch or token was seen; a first or higher one is recorded.
const WRAPPER = `
set -u
dir=$1; file=$2; installation=$3; epoch=$4; token=$5; inner=$6; shift 6
[ -d "$dir" ] || { umask 077; mkdir -p "$dir"; chmod 700 "\${dir%/*}" "$dir"; } || exit 1
exec 9>>"$dir/$file.lock" || exit 1
flock 9 || exit 1
if [ -s "$dir/$file" ]; then
  read -r seen_installation seen_epoch seen_token < "$dir/$file"
  if [ "$seen_installation" = "$installation" ]; then
    if [ "$seen_epoch" -gt "$epoch" ] || { [ "$seen_epoch" -eq "$epoch" ] && [ "$seen_token" -gt "$token" ]; }; then exit ${FENCED}; fi
  fi
fi
if [ "\${seen_installation-} \${seen_epoch-} \${seen_token-}" != "$installation $epoch $token" ]; then
  printf '%s %s %s\\n' "$installation" "$epoch" "$token" > "$dir/$file.new" && mv "$dir/$file.new" "$dir/$file" || exit 1
fi
sh -c "$inner" sh "$@" 9>&-
`;

function fileOf(scope: string): string {
  return scope.replaceAll("/", "-");
}

/**
 * Runs a script that changes the server, under the fence. @throws HW_LEASE_LOST when a later holder was there.
 * `folder` is another one in tests only.
 */
export async function runFenced(
  server: Server,
  fence: Fence,
  script: Script,
  folder: string = FOLDER,
): Promise<CommandResult> {
  const result = await server.script({
    ...script,
    script: WRAPPER,
    args: [
      folder,
      fileOf(fence.scope),
      fence.installation,
      String(fence.epoch),
      String(fence.token),
      script.script,
      ...(script.args ?? []),
    ],
  });
  if (result.exitCode === FENCED) {
    throw new HostwrightError(
      "HW_LEASE_LOST",
      `${server.name} has seen a later holder of ${fence.scope}: this worker changed nothing more there.`,
      { server: server.name },
    );
  }
  return result;
}

/** Forgets a scope that no longer exists (a deleted or undone site). */
export async function dropFence(server: Server, scope: string, folder: string = FOLDER): Promise<void> {
  await server.script({
    script: `cd "$1" 2>/dev/null || exit 0; rm -f -- "$2" "$2.lock"`,
    args: [folder, fileOf(scope)],
  });
}
