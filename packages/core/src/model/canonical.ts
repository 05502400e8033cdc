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

export function deepFreeze<T>(value: T): T {
  if (typeof value === "object" && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const inner of Object.values(value)) deepFreeze(inner);
  }
  return value;
}
