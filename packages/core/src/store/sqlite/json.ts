import { HostwrightError } from "../../errors/hostwright-error.ts";
import { Secret } from "../../model/secret.ts";

/** A JSON column. A Secret is refused: it would be stored as its placeholder, and lost. @throws HW_INTERNAL */
export function toJson(value: unknown): string {
  return JSON.stringify(value ?? null, refuseSecret);
}

export function fromJson(column: string): unknown {
  return JSON.parse(column) as unknown;
}

function refuseSecret(this: Record<string, unknown>, key: string, value: unknown): unknown {
  if (this[key] instanceof Secret) {
    throw new HostwrightError("HW_INTERNAL", `"${key}" holds a secret value where the store keeps references only.`);
  }
  return value;
}
