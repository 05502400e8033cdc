import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Server, type Command, type CommandResult, type Script, type ServerStats } from "../src/model/server.ts";
import { LocalServer } from "../src/servers/local-server.ts";

// In the place of systemd's own: a unit is a process whose id lies in a file of its name.
const RUN = `#!/bin/sh
for word do shift; case $word in --unit=*) unit=\${word#--unit=} ;; --) break ;; esac; done
echo $$ > "$UNITS/$unit" && exec "$@"
`;
const CTL = `#!/bin/sh
[ "$1" != show ] || [ "$3" != Result ] || echo success
[ "$1" = stop ] && read -r pid 2>/dev/null < "$UNITS/$2" || exit 0
kill "$pid" 2>/dev/null; tail -s 0.02 --pid="$pid" -f /dev/null; rm "$UNITS/$2"
`;

/**
 * This machine as a server on which transient units are plain processes, and no fence is written. What it ran is counted by
 * unit.
 */
export class UnitServer extends Server {
  readonly stats: ServerStats = { connections: 0, roundTrips: 0, bytesSent: 0, bytesReceived: 0 };
  /** Called before each script, as it was sent: throwing makes it fail before anything ran. */
  onScript: (script: Script) => void = () => undefined;
  readonly #local: LocalServer;
  readonly #folder: string = mkdtempSync(join(tmpdir(), "hostwright-units-"));

  constructor(name: string) {
    super(name);
    this.#local = new LocalServer(name);
    for (const [program, text] of [
      ["systemd-run", RUN],
      ["systemctl", CTL],
    ] as const) {
      writeFileSync(join(this.#folder, program), text);
      chmodSync(join(this.#folder, program), 0o755);
    }
  }

  /** Process ids by the units that were begun here and are not stopped: they may have ended. */
  get units(): ReadonlyMap<string, number> {
    const names = readdirSync(this.#folder).filter((name) => name.startsWith("hostwright-"));
    return new Map(names.map((name) => [name, Number(readFileSync(join(this.#folder, name), "utf8"))]));
  }

  async run(command: Command): Promise<CommandResult> {
    return this.#local.run({ ...command, env: this.#env });
  }

  async script(script: Script): Promise<CommandResult> {
    this.onScript(script);
    return this.#local.script({ ...unfenced(script), env: this.#env });
  }

  async forward(): Promise<never> {
    throw new Error(`${this.name} forwards nothing`);
  }

  async close(): Promise<void> {
    await this.#local.close();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  get #env(): Readonly<Record<string, string>> {
    return { PATH: `${this.#folder}:/usr/bin:/bin`, UNITS: this.#folder };
  }
}

/** As `runFenced` passes a script. */
function unfenced(script: Script): Script {
  const [folder = "", , , , , , , , inner, ...args] = script.args ?? [];
  return folder.endsWith("/fence") && inner !== undefined ? { ...script, script: inner, args } : script;
}
