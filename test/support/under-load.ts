import { availableParallelism, loadavg } from "node:os";

/** A bound of time that a machine keeps which does nothing else; longer where others want its processors as well. */
export function underLoad(ms: number): number {
  const [running = 0] = loadavg();
  return ms * Math.max(1, (2 * running) / availableParallelism());
}
