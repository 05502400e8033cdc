/** A row of a task's journal, as far as it tells what became of an action. */
export interface JournalLine {
  readonly action: number;
  readonly phase: "do" | "undo";
  readonly state: "begun" | "done" | "failed";
}

/** Actions of which the journal does not say how they came out: a finished task has none. */
export function unexplained(journal: readonly JournalLine[], state: string): readonly string[] {
  const begun = [...new Set(journal.filter((row) => row.phase === "do").map((row) => row.action))];
  const phase = state === "succeeded" ? "do" : "undo";
  return begun
    .filter((action) => !journal.some((row) => row.action === action && row.phase === phase && row.state === "done"))
    .map(
      (action) =>
        `the journal of this ${state} task does not say that action ${action} was ${phase === "do" ? "done" : "undone"}`,
    );
}
