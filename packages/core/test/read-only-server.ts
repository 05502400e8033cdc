import type { CommandResult, Script } from "../src/model/server.ts";
import { LocalServer } from "../src/servers/local-server.ts";

/** This very machine, to be planned with: whatever goes wrong in a test, it is never changed. */
export class ReadOnlyServer extends LocalServer {
  override async script(script: Script): Promise<CommandResult> {
    // Every change runs under the lock of its fence.
    if (script.script.includes("flock")) throw new Error(`A test was about to change the machine that it runs on.`);
    return super.script(script);
  }
}
