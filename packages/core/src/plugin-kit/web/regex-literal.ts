import { validUnicode } from "./plain.ts";

const CLASSES = ".*+?(){}|$";

/**
 * The value as a regular expression (PCRE, RE2) that matches it alone: each sign as itself, as a class (`[.]`) or as its
 * number. Signs that end or begin something in a configuration (quotes, `#`, line breaks, `${`) are not in it; a backslash
 * is.
 * @throws HW_QUOTE_REFUSED when it is not valid Unicode
 */
export function regexLiteral(value: string): string {
  // oxlint-disable-next-line no-control-regex -- control characters are what is written otherwise
  return validUnicode(value, "a URL").replace(/[.*+?(){}|$"#[\]\\^\u0000-\u001f\u007f]/g, (sign) =>
    CLASSES.includes(sign) ? `[${sign}]` : `\\x${sign.charCodeAt(0).toString(16).padStart(2, "0")}`,
  );
}
