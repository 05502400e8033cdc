import type { ErrorCode } from "../../errors/codes.ts";
import { HostwrightError } from "../../errors/hostwright-error.ts";
import { showBytes } from "../../model/show-bytes.ts";
import { bounded } from "../../operations/remote-unit.ts";
import { DISK_FULL } from "../../servers/checked.ts";
import type { TransferAction } from "../planning/plan.ts";
import type { Ended, Report } from "./report.ts";
import { seconds } from "./units.ts";

/** What is known of a transfer that is not whole. */
export interface Failure {
  readonly report: Report;
  /** systemd's words for the ends of both units. */
  readonly results: { readonly from: string; readonly to: string };
  /** What both programs said, without secrets. */
  readonly said: string;
}

interface Judged {
  readonly code: ErrorCode;
  readonly where: "from" | "to";
  /** What it did, for `mariadb on web1, which takes it, ...`. */
  readonly did: string;
}

const REMEDIES: Readonly<Partial<Record<ErrorCode, string>>> = {
  HW_TRANSFER_FAILED: "Remedy what its output names, then try again.",
  HW_TRANSFER_STALLED: "Find out what it waited for; if it was at work, it needs a longer time without a byte.",
  HW_COMMAND_TIMEOUT: "Find out what took so long, or give it more time.",
};

/** Pure: which end failed, and how. */
export function transferError(action: TransferAction, failure: Failure): HostwrightError {
  const { code: found, where, did } = judge(action, failure);
  const code = found === "HW_TRANSFER_FAILED" && DISK_FULL.test(failure.said) ? "HW_DISK_FULL" : found;
  const { from, to, serverName, title } = action;
  const [server, program, role] =
    where === "from" ? [from.serverName, from.argv[0], "which gives it"] : [serverName, to.argv[0], "which takes it"];
  const { taken, given } = failure.report;
  const remedy = REMEDIES[code];
  return new HostwrightError(
    code,
    `"${title}" failed: ${program} on ${server}, ${role}, ${did}. ${showBytes(taken)} had arrived, and do not count. Both programs were stopped.`,
    {
      server,
      output: bounded(failure.said.trim()),
      data: { end: where, taken, given },
      ...(remedy === undefined ? {} : { remedy }),
    },
  );
}

function judge({ from, timeoutMs, idleMs }: TransferAction, { report, results }: Failure): Judged {
  const { source, sink, trailer, given, taken } = report;
  const failed = (where: Judged["where"], did: string): Judged => ({ code: "HW_TRANSFER_FAILED", where, did });
  const stalled = (where: Judged["where"], verb: string): Judged => ({
    code: "HW_TRANSFER_STALLED",
    where,
    did: `${verb} no byte for ${seconds(idleMs)} s`,
  });
  for (const where of ["to", "from"] as const)
    if (results[where] === "timeout")
      return { code: "HW_COMMAND_TIMEOUT", where, did: `did not end in ${seconds(timeoutMs)} s` };
  if (sink === "stalled") return stalled("to", "took");
  if (source === "stalled") return stalled("from", "gave");
  if (isCode(sink)) return failed("to", `ended with exit code ${sink}`);
  if (sink === null) return failed("to", `did not come to an end of its own${byResult(results.to)}`);
  if (isCode(source)) return failed("from", `ended with exit code ${source}`);
  if (source === "broken") return failed("from", `broke off in the middle${byResult(results.from)}`);
  if (source === 0 && !trailer)
    return failed("from", `ended without the last line of a whole stream, "${from.trailer ?? ""}"`);
  if (source === 0 && given !== taken) return failed("to", `took ${taken} of ${given} bytes`);
  return failed("to", `ended before it had taken all`);
}

function isCode(ended: Ended): boolean {
  return typeof ended === "number" && ended !== 0;
}

function byResult(result: string): string {
  return result === "success" || result === "" ? "" : ` (${result})`;
}
