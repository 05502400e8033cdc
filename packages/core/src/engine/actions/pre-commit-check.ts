import { HostwrightError } from "../../errors/hostwright-error.ts";
import type { ServerRecord } from "../../model/records.ts";
import type { ActionContext } from "./action-context.ts";
import { firstLost } from "./ensure.ts";
import type { EnsureAction } from "../planning/plan.ts";
import { addressKey } from "../planning/resource-states.ts";
import type { Session } from "../sessions/session.ts";

export interface Again {
  readonly context: ActionContext;
  readonly session: Session;
  /** Another worker began the task: nobody knows in which boots. */
  readonly recovered: boolean;
  server(id: string): ServerRecord;
}

/**
 * Before the commit row: on a server that was restarted since the task began there, what its actions ensured is read once
 * more (decisions.md D10). One round trip a server where nothing of that kind happened.
 * @throws HW_INTERRUPTED when something was lost: then all is taken back.
 */
export async function preCommitCheck(again: Again, actions: readonly EnsureAction[]): Promise<void> {
  const servers = Map.groupBy(actions, (action) => action.server);
  await Promise.all(
    [...servers].map(async ([id, done]) => {
      if (!again.recovered && (await again.session.ranOn(again.server(id)))) return;
      for (const action of whatStays(done)) await requireStanding(again, action);
    }),
  );
}

/** What a later action makes something else of is not looked for. */
function whatStays(done: readonly EnsureAction[]): readonly EnsureAction[] {
  const later = new Set<string>();
  return done.toReversed().map((action) => {
    const changes = action.changes.filter((change) => !later.has(addressKey(change.type, change.key)));
    for (const change of changes) later.add(addressKey(change.type, change.key));
    return { ...action, changes };
  });
}

async function requireStanding({ context, session }: Again, action: EnsureAction): Promise<void> {
  const lost = await firstLost(await context.ensure(action, session), action);
  if (lost === undefined) return;
  const { type, key } = lost;
  throw new HostwrightError(
    "HW_INTERRUPTED",
    `${action.serverName} was restarted, or its task was taken over, and ${type} ${key} is not as "${action.title}" had left it. All is taken back.`,
    { server: action.serverName, retryable: true, data: { type, key } },
  );
}
