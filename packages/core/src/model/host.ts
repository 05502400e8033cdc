import { isIP } from "node:net";
import * as z from "zod";
import { parseAddress } from "./web-head.ts";

/** A host name or IP address, stored in one form. What stands there beside it has fields of its own, which are named. */
export const Host: z.ZodType<string> = z.string().transform((given, context) => {
  const host = parseAddress(given);
  if (host !== null) return host;
  context.addIssue({ code: "custom", message: whyNot(given) });
  return z.NEVER;
});

function whyNot(given: string): string {
  if (given === "") return "a host name or IP address";
  if (given.length > 255) return "a host name or IP address of 255 characters at most";
  if (/\s/.test(given)) return "a host name or IP address without blanks";
  if (given.includes("://")) return "a URL: give the host alone, and `user` and `port` as fields of their own";
  const fields = [
    ...(given.includes("@") ? ["what stands before the @ as `user`"] : []),
    ...(hasPort(given.slice(given.lastIndexOf("@") + 1)) ? ["what stands after the last : as `port`"] : []),
  ];
  if (fields.length > 0) return `the host alone: give ${fields.join(" and ")}`;
  if (/^\[.*\]$/.test(given)) return "an IPv6 address without brackets";
  if (given.includes("/")) return "a host name or IP address, no path or network";
  if (given.includes("%")) return "an address without a zone or wildcard";
  return "a host name in ASCII letters, digits, dots and dashes, or an IP address";
}

function hasPort(host: string): boolean {
  return isIP(host) === 0 && /^(\[[^\]]*\]|[^:]*):[0-9]*$/.test(host);
}

const FINGERPRINT = /^SHA256:[A-Za-z0-9+/]{43}$/;

/** Of a host key, as `ssh-keygen -lf` prints it. */
export const Fingerprint: z.ZodType<string> = z.string().superRefine((given, context) => {
  if (!FINGERPRINT.test(given)) context.addIssue({ code: "custom", message: whyNoFingerprint(given) });
});

function whyNoFingerprint(given: string): string {
  const form = 'a fingerprint such as "SHA256:..." of 43 characters more, as `ssh-keygen -lf` prints it';
  if (/^(MD5:)?([0-9a-f]{2}:){5,}/i.test(given)) return `an MD5 fingerprint: give ${form} (-E sha256)`;
  if (/(^|\s)(ssh-|ecdsa-|sk-)[a-z0-9@.-]+\s+AAAA/.test(given)) return `a public key: give ${form} from it`;
  if (/^SHA256:/i.test(given.trim())) return `not whole: give ${form}, without padding and without what follows it`;
  return form;
}
