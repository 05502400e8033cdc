import { HostwrightError } from "@hostwright/core";
import { isIP, SocketAddress } from "node:net";
import * as z from "zod";

const NAME = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$/;

/** An account's host as the server compares it: text, so that one address has one form. Wildcards have none. */
export const Host: z.ZodType<string> = z
  .string()
  .max(255)
  .refine(
    (host) => isIP(host) !== 0 || NAME.test(host),
    "localhost, an IP address or a host name in lower case, without wildcards",
  )
  .refine((host) => isIP(host) !== 6 || normalised(host) === host, "an IPv6 address in its short form, in lower case");

/** Where a web head's logins come from. @throws HW_INPUT_INVALID for what is no address. */
export function accountHost(webHead: string): string {
  const host = webHead === "local" ? "localhost" : normalised(webHead.toLowerCase());
  if (Host.safeParse(host).success) return host;
  throw new HostwrightError(
    "HW_INPUT_INVALID",
    `The web head's address "${webHead.slice(0, 80)}" is neither an IP address nor a host name. Nothing was changed.`,
    {
      data: { field: "addresses" },
    },
  );
}

function normalised(host: string): string {
  if (isIP(host) !== 6) return host;
  const short = new SocketAddress({ family: "ipv6", address: host }).address;
  // The server turns mapped addresses into plain ones before it compares.
  return /^::ffff:(\d+\.\d+\.\d+\.\d+)$/.exec(short)?.[1] ?? short;
}
