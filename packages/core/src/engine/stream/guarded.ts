/** The same call, that cannot end the process or what called it: what it throws, or rejects with later, is a warning. */
export function guarded<Args extends readonly unknown[]>(
  callback: (...args: Args) => unknown,
): (...args: Args) => void {
  return (...args) => {
    try {
      void Promise.resolve(callback(...args)).catch(warn);
    } catch (error) {
      warn(error);
    }
  };
}

export function warn(error: unknown): void {
  process.emitWarning(
    error instanceof Error || typeof error === "string" ? error : "Something was thrown that is no error.",
  );
}
