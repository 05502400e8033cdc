import { HostwrightError } from "../errors/hostwright-error.ts";
import { Secret } from "../model/secret.ts";

/** A JSON column. A Secret is refused: it would be stored as its placeholder, and lost. @throws HW_INTERNAL */
export function toJson(value: unknown): string {
  return JSON.stringify(value ?? null, refuseSecret);
}

/** @throws HW_STORE_DAMAGED */
export function fromJson(column: string): unknown {
  try {
    return JSON.parse(column) as unknown;
  } catch (cause) {
    throw new HostwrightError("HW_STORE_DAMAGED", `A row of the store holds no JSON: ${(cause as Error).message}`, {
      cause,
    });
  }
}

function refuseSecret(this: Record<string, unknown>, key: string, value: unknown): unknown {
  if (this[key] instanceof Secret) {
    throw new HostwrightError("HW_INTERNAL", `"${key}" holds a secret value where the store keeps references only.`);
  }
  return value;
}
