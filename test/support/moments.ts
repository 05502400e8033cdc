import type { HostwrightEvent, Listener } from "@hostwright/core";
import type { TestHost } from "../hosts/hosts.ts";
import type { LivingServer } from "./living-server.ts";

/** Does something at the moment when an action begins or fails; servers hear nothing until it is done. */
export function atMoment(
  living: LivingServer,
  type: "action:started" | "action:failed",
  title: RegExp,
  work: () => Promise<unknown>,
): Listener {
  let done = false;
  return (event: HostwrightEvent) => {
    if (done || event.type !== type || !title.test(event.payload.title)) return;
    done = true;
    living.gate.while(work);
  };
}

/** Of sites that are not there: all but the first site runs as root or as a service of the system. */
export async function strayProcesses(host: TestHost): Promise<readonly string[]> {
  const lines = (await host.sh("ps -eo uid=,args=")).split("\n").map((line) => line.trim());
  return lines.filter((line) => /^(?!20000 )2\d{4} |hostwright-test-child|faulty\.php|wordpress\.php/.test(line));
}
