import type { Action, HostwrightEvent } from "@hostwright/core";

/** Shows the events of a task as they come, and keeps how long each action took. */
export class Progress {
  readonly #say: (line: string) => void;
  readonly milliseconds: Map<number, number> = new Map();

  constructor(say: (line: string) => void) {
    this.#say = say;
  }

  show(event: HostwrightEvent): void {
    switch (event.type) {
      case "action:finished":
        this.milliseconds.set(event.payload.action, event.payload.ms);
        this.#say(`  done   [${event.payload.server}] ${event.payload.title} (${event.payload.ms} ms)`);
        break;
      case "action:failed":
        this.#say(
          `  FAILED [${event.payload.server}] ${event.payload.title}: ${event.payload.code} ${event.payload.message}`,
        );
        break;
      case "action:undone":
        this.#say(`  undone [${event.payload.server}] ${event.payload.title}`);
        break;
      case "publication:published":
        this.#say(`         generation ${event.payload.generation} of ${event.payload.service} is in force`);
        break;
      case "task:log":
        this.#say(`         ${event.payload.line}`);
        break;
      default:
        break;
    }
  }
}

/** A whole install less what is not Hostwright's: the copy of the code, the first content, the application's installer. */
export function ownMilliseconds(all: number, actions: readonly Action[], took: ReadonlyMap<number, number>): number {
  const others = actions.map((action, index) => (isForeign(action) ? (took.get(index) ?? 0) : 0));
  return all - others.reduce((sum, ms) => sum + ms, 0);
}

function isForeign(action: Action): boolean {
  if (action.kind === "run") return ["site-command", "login-link"].includes(action.operation);
  return action.kind === "ensure" && action.changes.some((change) => change.type === "tree");
}
