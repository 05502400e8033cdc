/** What an operation of the same plan gives back: a name in the output of the step with that id. */
export interface OutputReference {
  readonly ref: "output";
  readonly step: string;
  readonly name: string;
}

/** What has been given back so far, by the ids of the steps. */
export type Outputs = ReadonlyMap<string, Readonly<Record<string, unknown>>>;

function isOutputReference(value: object): value is OutputReference {
  const { ref, step, name } = value as Partial<OutputReference>;
  return ref === "output" && typeof step === "string" && typeof name === "string";
}

/** All of them anywhere in plain data. */
export function outputReferences(value: unknown): readonly OutputReference[] {
  if (typeof value !== "object" || value === null) return [];
  return isOutputReference(value) ? [value] : Object.values(value).flatMap(outputReferences);
}

/** The same data with what was given back in the place of each of them; what was not given back is left out. */
export function withOutputs(value: unknown, outputs: Outputs): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (isOutputReference(value)) return outputs.get(value.step)?.[value.name];
  if (Array.isArray(value)) return value.map((inner) => withOutputs(inner, outputs));
  const entries = Object.entries(value).map(([key, inner]) => [key, withOutputs(inner, outputs)] as const);
  return Object.fromEntries(entries.filter(([, inner]) => inner !== undefined));
}
