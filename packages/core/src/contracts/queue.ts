/** What a queue asks of a worker of this process. Which worker has a task is decided by its claim in the store (D15). */
export interface QueueWorker {
  /** Takes the first task in line that nothing is in the way of: it is running then, and is to be carried out. Null: none now. */
  takeNext(): Promise<string | null>;
  /** Works a task that `takeNext` gave; once the signal is aborted, to the end of its present action alone. */
  carryOut(task: string, closing: AbortSignal): Promise<unknown>;
}

/**
 * When workers look for tasks, and how many they work at once. The tasks, their order and who may work them are the store's:
 * a queue that loses, repeats or invents an announcement does no harm.
 */
export interface TaskQueue {
  /**
   * Of a task that `submit` stored just now. Nobody waits for it, and what it throws is a warning of the process: workers look
   * by themselves.
   */
  announce(task: string): Promise<void>;
  /**
   * Works tasks, at most `concurrency` at once, until it is disposed; disposing ends when none runs any more. Tasks become
   * free also by the end of others, which nobody announces: it looks every few seconds at the latest.
   */
  work(worker: QueueWorker, concurrency: number): AsyncDisposable;
  /** With the instance, after all that worked by it: a connection to a broker ends here. */
  [Symbol.asyncDispose]?(): PromiseLike<void>;
}
