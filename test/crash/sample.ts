import { createHash } from "node:crypto";

/** Some of many, always the same for one seed and name; all when there are no more than that. */
export function sampleOf<T>(items: readonly T[], count: number, seed: string): readonly T[] {
  if (items.length <= count) return items;
  const rank = (index: number): string => createHash("sha256").update(`${seed}/${index}`).digest("hex");
  const chosen = items
    .map((_item, index) => ({ index, rank: rank(index) }))
    .toSorted((a, b) => (a.rank < b.rank ? -1 : 1))
    .slice(0, count);
  return chosen.toSorted((a, b) => a.index - b.index).map(({ index }) => items[index] as T);
}
