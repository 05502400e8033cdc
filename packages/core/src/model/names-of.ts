const MOST = 5;

/** A list for people: `a, b, c, d, e and 495 more`. */
export function namesOf(names: readonly string[]): string {
  const more = names.length - MOST;
  return more > 0 ? `${names.slice(0, MOST).join(", ")} and ${more} more` : names.join(", ");
}
