/** An entry that the service refused: it waits for its owner, and what was in force of it stays so. */
export interface QuarantinedEntry {
  readonly name: string;
  /** What the service said of it, in one line. */
  readonly reason: string;
}

/** What one attempt came to, as the server tells it. */
export interface Outcome {
  readonly word: string;
  readonly generation: number;
  readonly runs: boolean;
  readonly ran: boolean;
  /** Names without those quarantined. */
  readonly changed: readonly string[];
  readonly quarantined: readonly QuarantinedEntry[];
  readonly said: string;
}
