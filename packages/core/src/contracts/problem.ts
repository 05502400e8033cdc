import type { ErrorCode } from "../errors/codes.ts";

/** Something that a server lacks or that endangers its sites: named by verify, repaired by the task `prepare` or by hand. */
export interface Problem {
  readonly message: string;
  readonly remedy: string;
  /** Of the error with which a site's installation is refused; default `HW_PREREQUISITE_MISSING`. */
  readonly code?: ErrorCode;
  /** May sites be installed all the same? Then it is only reported. Default false. */
  readonly tolerable?: boolean;
}
