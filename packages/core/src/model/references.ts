import type { Reference } from "./text.ts";

/** All references anywhere in plain data. */
export function collectReferences(value: unknown, found: Reference[] = []): Reference[] {
  if (typeof value !== "object" || value === null) return found;
  if (isReference(value)) {
    found.push(value);
    return found;
  }
  for (const inner of Object.values(value)) collectReferences(inner, found);
  return found;
}

export function isReference(value: unknown): value is Reference {
  return (
    typeof value === "object" &&
    value !== null &&
    (value as { ref?: unknown }).ref === "secret" &&
    typeof (value as { id?: unknown }).id === "string"
  );
}

/** The same data with each reference replaced by its value. In memory only. */
export function resolveReferences(value: unknown, resolve: (reference: Reference) => string): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (isReference(value)) return resolve(value);
  if (Array.isArray(value)) return value.map((inner) => resolveReferences(inner, resolve));
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, resolveReferences(inner, resolve)]));
}
