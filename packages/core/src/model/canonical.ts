/** JSON with sorted keys: equal values give equal text. */
export function canonicalJson(value: unknown): string {
  return sorted(value) ?? "null";
}

/** As `JSON.stringify`, which with a replacer takes several times as long: a verify compares thousands of states. */
function sorted(value: unknown): string | undefined {
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  if ("toJSON" in value && typeof value.toJSON === "function") return sorted((value.toJSON as () => unknown)());
  if (Array.isArray(value)) return `[${value.map((item) => sorted(item) ?? "null").join(",")}]`;
  const fields: string[] = [];
  for (const key of Object.keys(value).toSorted()) {
    const text = sorted((value as Record<string, unknown>)[key]);
    if (text !== undefined) fields.push(`${JSON.stringify(key)}:${text}`);
  }
  return `{${fields.join(",")}}`;
}

/** The same text in pieces, for what is too long to be made at once: one for each thing below that depth. */
export function* canonicalPieces(value: unknown, depth: number): Generator<string> {
  if (typeof value !== "object" || value === null || "toJSON" in value || depth === 0) {
    yield canonicalJson(value);
    return;
  }
  const isList = Array.isArray(value);
  const entries: readonly (readonly [string, unknown])[] = isList
    ? value.map((item: unknown) => ["", item] as const)
    : Object.entries(value)
        .filter(([, inner]) => !["undefined", "function", "symbol"].includes(typeof inner))
        .toSorted(([a], [b]) => (a < b ? -1 : 1));
  yield isList ? "[" : "{";
  for (const [index, [key, inner]] of entries.entries()) {
    yield `${index === 0 ? "" : ","}${isList ? "" : `${JSON.stringify(key)}:`}`;
    yield* canonicalPieces(inner, depth - 1);
  }
  yield isList ? "]" : "}";
}

export function deepFreeze<T>(value: T): T {
  if (typeof value === "object" && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const inner of Object.values(value)) deepFreeze(inner);
  }
  return value;
}
