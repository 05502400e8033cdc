import type { EngineParts } from "../../engine/planning/task-engine.ts";
import type { ErrorCode } from "../../errors/codes.ts";

/** Something of the state that is not as it must be; see `Hostwright.check`. */
export interface StateProblem {
  /** What an error of it would have as its code. */
  readonly code: ErrorCode;
  /** `store.db`, `site a.example.com`, `task t1`, `plan p1`, `secret site/s1/x`, `register of web1`. */
  readonly where: string;
  readonly what: string;
  readonly remedy: string;
}

/** One kind of look at the state. It changes nothing, asks no server, and lets others have their turn between pages. */
export type Check = (parts: EngineParts) => AsyncIterable<StateProblem>;

export const RESTORE = "Put the whole state folder back from one backup, then call raiseEpoch.";
