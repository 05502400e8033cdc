import type { TakeOverInput } from "../../contracts/operation-inputs.ts";
import type { Operation } from "../../contracts/operation.ts";
import type { HttpRole } from "../../contracts/roles/http.ts";
import { HostwrightError } from "../../errors/hostwright-error.ts";
import { commandError, runChecked } from "../../servers/checked.ts";
import { publish } from "./publisher.ts";
import type { Registry } from "../plugins/registry.ts";
import { httpRole } from "../plugins/http-role.ts";

const ACTIVE = 'for unit in "$@"; do systemctl -q is-active "$unit" && echo yes || echo no; done';
const GIVE_BACK = 'systemctl stop "$1"; systemctl -q is-active "$2" || systemctl start "$2"';

/**
 * One web server stops and another one starts on its port, with all entries published before: both cannot listen at once,
 * and between them is nothing but their own stop and start.
 */
export function takeOver(registry: () => Registry): Operation<TakeOverInput> {
  const roleOf = (type: string): HttpRole => {
    const role = httpRole(registry().service("http", type));
    if (role !== null) return role;
    throw new HostwrightError("HW_INTERNAL", `http ${type} is no http service.`);
  };
  const unitsOf = ({ to, from }: TakeOverInput): readonly [string, string] => [
    roleOf(to).publication.unit,
    roleOf(from).publication.unit,
  ];
  return {
    name: "take-over",
    version: 1,
    async run({ target }, input) {
      const [, unit] = unitsOf(input);
      const { generation } = await publish(target, roleOf(input.to).publication, {
        force: true,
        instead: { unit, port: input.port },
      });
      return { generation };
    },
    async probe({ target }, input) {
      const { stdout } = await runChecked(target.server, {
        script: ACTIVE,
        args: unitsOf(input),
        signal: target.signal,
      });
      const [next, former] = stdout.toString().split("\n");
      if (next === former) return "partial";
      return next === "yes" ? "done" : "absent";
    },
    async undo({ target }, input) {
      const script = { script: GIVE_BACK, args: unitsOf(input), timeoutMs: 120_000 };
      const result = await target.mutate(script);
      if (result.exitCode !== 0) throw commandError(target.server.name, script, result, `starting ${script.args[1]}`);
    },
  };
}
