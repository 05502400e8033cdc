import { isIP, SocketAddress } from "node:net";
import { HostwrightError } from "../errors/hostwright-error.ts";

const NAME = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$/;
/** `10.0.0.256` and `10.0.0` are mistyped addresses, no names. */
const NUMBER_LAST = /(^|\.)[0-9]+$/;

/**
 * A machine's address in the one form in which addresses are stored and compared: an IP address, short and in lower case
 * and without the mapping of IPv4 in IPv6, or a host name in lower case without a trailing dot; null for anything else.
 */
export function parseAddress(address: string): string | null {
  if (address.length > 255) return null;
  const host = normalised(address.toLowerCase().replace(/(?<=.)\.$/, ""));
  if (isIP(host) !== 0) return host.includes("%") ? null : host;
  return NAME.test(host) && !NUMBER_LAST.test(host) ? host : null;
}

/** The same of a web head, as database servers compare it. @throws HW_INPUT_INVALID for what is no address: a wildcard */
export function webHeadAddress(address: string): string {
  const host = parseAddress(address);
  if (host !== null) return host;
  throw new HostwrightError(
    "HW_INPUT_INVALID",
    `The web head's address "${address.slice(0, 80)}" is neither an IP address nor a host name. Nothing was changed.`,
    { data: { field: "addresses" } },
  );
}

function normalised(host: string): string {
  if (isIP(host) !== 6 || host.includes("%")) return host;
  const short = new SocketAddress({ family: "ipv6", address: host }).address;
  return /^::ffff:(\d+\.\d+\.\d+\.\d+)$/.exec(short)?.[1] ?? short;
}
