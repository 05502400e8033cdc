import { hostname } from "node:os";
import { resolve } from "node:path";
import type { Claim } from "../../contracts/facts.ts";
import type { CommandResult } from "../../model/server.ts";
import { HostwrightError } from "../../errors/hostwright-error.ts";

/** Beside the fence files: `installation since home`, one line. */
export const CLAIM_FILE = "installation";

/** Exit code of a script that found another installation's claim; it prints `claimed` and the claim. */
export const CLAIMED = 122;

const LONGEST_HOME = 300;

/** Where this hub is, as its claims say it. */
export function homeOf(stateDir: string): string {
  return printable(`${hostname()}:${resolve(stateDir)}`);
}

/** A claim as it stands on a server; null for what is none. */
export function parseClaim(text: string): Claim | null {
  const [, installation, since, home] = /^(\S{1,100}) (\S{1,40}) (.*)/.exec(text) ?? [];
  if (installation === undefined || since === undefined || home === undefined) return null;
  return { installation: printable(installation), since: printable(since), home: printable(home) };
}

/** As `parseClaim` takes it. */
export function claimLine({ installation, since, home }: Claim): string {
  return `${installation} ${since} ${home}`;
}

/** @throws HW_SERVER_CLAIMED for a server that another installation has */
export function refuseClaimed(server: string, claim: Claim | null, installation: string): void {
  if (claim !== null && claim.installation !== installation) throw claimedBy(server, claim);
}

/** What a script that met another's claim comes to. @throws HW_SERVER_CLAIMED */
export function throwIfClaimed(server: string, { exitCode, stdout }: CommandResult): void {
  const [, line = ""] = exitCode === CLAIMED ? (/^claimed (.*)/.exec(stdout.toString()) ?? []) : [];
  const claim = parseClaim(line);
  if (claim !== null) throw claimedBy(server, claim);
}

function claimedBy(server: string, claim: Claim): HostwrightError {
  const { installation, since, home } = claim;
  return new HostwrightError(
    "HW_SERVER_CLAIMED",
    `${server} belongs to another installation of Hostwright: ${installation}, at ${home}, since ${since}. Nothing was changed there.`,
    {
      server,
      remedy: `Work with that state folder. If it is gone, run takeOver("${server}"): what it made there goes on, but this installation knows nothing of it.`,
      data: { ...claim },
    },
  );
}

/** What other hosts say is shown to people: one line, bounded. */
function printable(text: string): string {
  return text.replaceAll(/\p{Cc}/gu, "?").slice(0, LONGEST_HOME);
}
