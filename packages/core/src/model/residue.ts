/** What a task left as it is, because somebody else changed it or it could not be undone. */
export interface Residue {
  /** Name of the server. */
  readonly server: string;
  /** Of the resource; `run` for an operation. */
  readonly type: string;
  readonly key: string;
  /** For people, in one sentence. */
  readonly reason: string;
}
