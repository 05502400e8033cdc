const SHORTEST_MS = 1000;
const PART = 50;

/**
 * Tells how far something is at most once a second, and further apart the longer it lasts: after a fiftieth of the time so
 * far. So ten hours are told of some 400 times.
 */
export function paced<T>(tell: (now: T) => void, clock: () => number = () => performance.now()): (now: T) => void {
  const began = clock();
  let last = began;
  return (now) => {
    const at = clock();
    if (at - last < Math.max(SHORTEST_MS, (at - began) / PART)) return;
    last = at;
    tell(now);
  };
}
