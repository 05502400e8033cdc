import { HostwrightError } from "@hostwright/core/plugin";

/**
 * A value as PHP's ini syntax takes it. `$` and `{` begin an expansion and `\` an escape even between quotes.
 * @throws HW_QUOTE_REFUSED
 */
export function iniValue(value: string | number | boolean): string {
  if (typeof value === "number") return String(value);
  if (typeof value === "boolean") return value ? "1" : "0";
  // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
  if (/["\\${}\u0000-\u001f\u007f]/.test(value)) {
    throw new HostwrightError(
      "HW_QUOTE_REFUSED",
      `The value ${JSON.stringify(value)} cannot be written into PHP's configuration.`,
    );
  }
  return `"${value}"`;
}
