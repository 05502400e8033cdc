import { isIP, SocketAddress } from "node:net";
import { HostwrightError } from "../errors/hostwright-error.ts";

const NAME = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$/;

/**
 * A web head's address in the one form that database servers compare as text: an IP address, short and in lower case and
 * without the mapping of IPv4 in IPv6, or a host name in lower case. Wildcards have none.
 * @throws HW_INPUT_INVALID for what is no address
 */
export function webHeadAddress(address: string): string {
  const host = normalised(address.toLowerCase());
  const zoned = address.includes("%");
  if ((isIP(host) !== 0 && !zoned) || (host.length <= 255 && NAME.test(host))) return host;
  throw new HostwrightError(
    "HW_INPUT_INVALID",
    `The web head's address "${address.slice(0, 80)}" is neither an IP address nor a host name. Nothing was changed.`,
    { data: { field: "addresses" } },
  );
}

function normalised(host: string): string {
  if (isIP(host) !== 6) return host;
  const short = new SocketAddress({ family: "ipv6", address: host }).address;
  return /^::ffff:(\d+\.\d+\.\d+\.\d+)$/.exec(short)?.[1] ?? short;
}
