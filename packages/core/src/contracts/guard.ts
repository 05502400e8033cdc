/** Room for so many bytes on the file system of a path; missing folders count as their nearest one that exists. */
export interface FreeSpaceGuard {
  readonly kind: "free-space";
  /** Absolute path on the action's server. */
  readonly path: string;
  readonly bytes: number;
}

/** What must hold right before an action, as plain data (decisions.md D2). Later versions add kinds. */
export type Guard = FreeSpaceGuard;
