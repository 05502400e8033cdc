/**
 * Tasks that a worker has at this moment, each as often as frames of it have them: one that it put back into the line it may
 * have again before the former try is quite over, and whoever resolves one has it until the work on it is over.
 */
export class ActiveTasks {
  readonly #counts = new Map<string, number>();

  has(task: string): boolean {
    return this.#counts.has(task);
  }

  /** Once for each frame. */
  enter(task: string): void {
    this.#counts.set(task, (this.#counts.get(task) ?? 0) + 1);
  }

  /** Once for each `enter`. */
  leave(task: string): void {
    const left = (this.#counts.get(task) ?? 0) - 1;
    if (left > 0) this.#counts.set(task, left);
    else this.#counts.delete(task);
  }
}
