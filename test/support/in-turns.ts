/** Does something so many times, so many at once. */
export async function inTurns(times: number, atOnce: number, work: (index: number) => Promise<unknown>): Promise<void> {
  const left = Array.from({ length: times }, (_, index) => index).values();
  const worker = async (): Promise<void> => {
    for (const index of left) await work(index);
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, times) }, worker));
}
