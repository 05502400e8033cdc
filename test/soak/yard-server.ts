import { join } from "node:path";
import { LocalServer } from "@hostwright/core";
import { type CommandResult, type Script } from "@hostwright/core/plugin";

const FENCES = "/var/lib/hostwright/fence";

/**
 * This machine as a server whose fences lie in a folder of the test's own. A fenced script is given the token that it
 * shows as one more argument, so that what it writes can name it.
 */
export class YardServer extends LocalServer {
  readonly #folder: string;

  constructor(name: string, yard: string) {
    super(name);
    this.#folder = join(yard, "state", name);
  }

  override async script(script: Script): Promise<CommandResult> {
    const [folder, ...rest] = script.args ?? [];
    if (folder !== FENCES) return super.script(script);
    const [, , epoch = "", token = ""] = rest;
    return super.script({ ...script, args: [this.#folder, ...rest, `${epoch}.${token}`] });
  }
}
