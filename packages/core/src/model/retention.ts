/** How long what is over is kept (decisions.md D53). */
export interface Retention {
  /** Days for which a task that ended is kept, with its value, journal and events; null: for ever. */
  readonly taskDays: number | null;
  /** Days for which events are kept, whatever became of their tasks; null: for ever. */
  readonly eventDays: number | null;
  /** Minutes for which the secrets of a task that ended, a login link, can be read. */
  readonly secretMinutes: number;
  /** Plans that are kept at once; of more, those that were made first go before their time. */
  readonly plans: number;
}

export const RETENTION: Retention = { taskDays: 90, eventDays: 90, secretMinutes: 60, plans: 1_000 };
