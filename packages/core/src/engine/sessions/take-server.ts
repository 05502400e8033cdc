import type { Claim } from "../../contracts/facts.ts";
import type { TakeServerInput } from "../../contracts/operation-inputs.ts";
import type { Operation } from "../../contracts/operation.ts";
import type { Target } from "../../contracts/resource.ts";
import { HostwrightError } from "../../errors/hostwright-error.ts";
import { commandError } from "../../servers/checked.ts";
import { CLAIM_FILE, claimLine, parseClaim, throwIfClaimed, CLAIMED } from "./claim.ts";
import { FENCE_FOLDER } from "./fence.ts";

const BUSY = 123;
const WAIT_SECONDS = 30;

// Arguments: folder, who has it, the claim that is to stand, seconds. The gate is open to one at a time here, and to all
// changing scripts together: while one runs nobody takes the server from under it.
const TAKE = `
set -u
umask 077
file=$1/${CLAIM_FILE}; former=$2; claim=$3
exec 7>>"$file.gate" || exit 1
flock -w "$4" 7 || exit ${BUSY}
read -r owner rest < "$file" || exit 1
[ "$owner" != "\${claim%% *}" ] || exit 0
[ "$owner" = "$former" ] || { echo "claimed $owner $rest"; exit ${CLAIMED}; }
printf '%s\\n' "$claim" > "$file.new" && sync "$file.new" && mv "$file.new" "$file" && sync -f "$1"
`;

/** A server passes from one installation to another: the claim on it, and nothing else there. */
export const takeServer: Operation<TakeServerInput> = {
  name: "take-server",
  version: 1,
  async run({ target }, { former, next }) {
    await passClaim(target, former, next);
    return null;
  },
  async probe({ target }, { former, next }) {
    const owner = (await readClaim(target))?.installation;
    if (owner === next.installation) return "done";
    return owner === former.installation ? "absent" : "unknown";
  },
  async undo({ target }, { former, next }) {
    if ((await readClaim(target))?.installation === next.installation) await passClaim(target, next, former);
  },
};

/**
 * Past the fence, which keeps everybody out but who has the server; compare-and-set by itself. Folder and seconds are
 * others in tests only. @throws HW_SERVER_CLAIMED by a third; HW_RESOURCE_CHANGED while `from` changes the server
 */
export async function passClaim(
  { server, signal }: Pick<Target, "server" | "signal">,
  from: Claim,
  to: Claim,
  folder: string = FENCE_FOLDER,
  waitSeconds: number = WAIT_SECONDS,
): Promise<void> {
  const script = { script: TAKE, args: [folder, from.installation, claimLine(to), String(waitSeconds)], signal };
  const result = await server.script(script);
  throwIfClaimed(server.name, result);
  if (result.exitCode === BUSY) {
    throw new HostwrightError(
      "HW_RESOURCE_CHANGED",
      `${from.installation} (${from.home}) is changing ${server.name} at this moment. It was left to it.`,
      { server: server.name, remedy: "End the processes of that installation, then try again." },
    );
  }
  if (result.exitCode !== 0) throw commandError(server.name, script, result, "taking the server over");
}

async function readClaim({ server, signal }: Target): Promise<Claim | null> {
  const { stdout } = await server.script({ script: 'cat "$1" || :', args: [`${FENCE_FOLDER}/${CLAIM_FILE}`], signal });
  return parseClaim(stdout.toString());
}
