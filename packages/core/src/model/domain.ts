import { isIP } from "node:net";
import { domainToASCII, domainToUnicode } from "node:url";
import { HostwrightError } from "../errors/hostwright-error.ts";

// RFC 6761, 6762, 7686 and 8375: names that never resolve on the public internet. `.test` and `.example` stay allowed:
// they are made for trying things out.
const RESERVED = ["localhost", "local", "invalid", "onion", "arpa", "internal", "localdomain"];

/**
 * A domain in its one stored form: lower-case A-labels without a trailing dot (decisions.md D29).
 * @throws HW_DOMAIN_INVALID, HW_DOMAIN_RESERVED
 */
export function parseDomain(input: string): string {
  const invalid = (why: string): HostwrightError =>
    new HostwrightError("HW_DOMAIN_INVALID", `"${printable(input)}" is not a domain: ${why}. Nothing was changed.`, {
      data: { domain: printable(input) },
    });
  if (typeof input !== "string" || input === "") throw invalid("it is empty");
  if (input.length > 255) throw invalid("it is longer than 253 characters");
  if (/[\s/@:?#%\\[\]]/.test(input)) throw invalid("it holds a character that no domain has");
  const ascii = domainToASCII(input.replace(/\.$/, "")).toLowerCase();
  if (ascii === "") throw invalid("it is not valid IDNA");
  if (ascii.length > 253) throw invalid("it is longer than 253 characters");
  if (isIP(ascii) !== 0) throw invalid("it is an IP address");
  const labels = ascii.split(".");
  const tld = labels.at(-1) ?? "";
  if (RESERVED.includes(tld)) {
    throw new HostwrightError(
      "HW_DOMAIN_RESERVED",
      `"${ascii}" ends in the reserved name "${tld}". Nothing was changed.`,
      {
        data: { domain: ascii },
      },
    );
  }
  if (labels.length < 2) throw invalid("it has one label only");
  for (const label of labels) {
    if (!/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(label)) throw invalid(`"${label}" is not a valid label`);
    // An A-label that stands for nothing stays as it is.
    if (label.startsWith("xn--") && domainToUnicode(label) === label) throw invalid(`"${label}" is not valid IDNA`);
  }
  if (/^[0-9]+$/.test(tld)) throw invalid("its last label is a number");
  return ascii;
}

/**
 * One spelling of the name of a site, server or platform, however it is written. What is no domain has its own only:
 * whoever needs a domain refuses it.
 */
export function plainName(given: string): string {
  const name = given.replace(/^@/, "");
  try {
    return parseDomain(name);
  } catch {
    return name.toLowerCase().replace(/\.$/, "");
  }
}

function printable(value: unknown): string {
  // oxlint-disable-next-line no-control-regex -- control characters are what is taken out here
  const control = /[\u0000-\u001f\u007f]/g;
  return String(value).slice(0, 80).replace(control, "?");
}
