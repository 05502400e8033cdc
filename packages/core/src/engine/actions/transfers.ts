import type { TransferAction } from "../planning/plan.ts";
import type { Session } from "../sessions/session.ts";
import { paced } from "../transfer/pace.ts";
import { runTransfer, stopTransfer, type TransferContext, type TransferOutput } from "../transfer/transfer.ts";
import type { RunnerParts } from "./runner-parts.ts";

/**
 * Carries a transfer out. Where its sink knows what is there, a connection that is lost is waited for, and it goes on from
 * there.
 */
export async function carryTransfer(
  parts: RunnerParts,
  { task, index, attempt }: { readonly task: string; readonly index: number; readonly attempt: string },
  action: TransferAction,
  session: Session,
): Promise<TransferOutput> {
  const { title, serverName: server, bytes: of } = action;
  const tell = paced((bytes: number) =>
    parts.events.tell(task, "action:progress", { action: index, server, title, bytes, of }),
  );
  const policy = parts.retryPolicy();
  let most = 0;
  const onBytes = (bytes: number): void => {
    if (bytes > most) policy.cameOn();
    most = Math.max(most, bytes);
    tell(bytes);
  };
  const context: TransferContext = {
    ...(await targetsOf(parts, action, session)),
    attempt,
    redact: session.redact,
    onBytes,
  };
  if (action.to.resume === undefined) return runTransfer(action, context);
  let tries = 0;
  return policy.try(async () => {
    session.signal.throwIfAborted();
    if (tries++ > 0) await stopTransfer(context);
    return runTransfer(action, context);
  });
}

/** Stops what a former attempt has left running, once nothing of its worker's can start it any more. */
export async function endTransfer(
  parts: RunnerParts,
  action: TransferAction,
  attempt: string,
  session: Session,
): Promise<void> {
  await stopTransfer({ ...(await targetsOf(parts, action, session)), attempt });
}

async function targetsOf(
  { server }: RunnerParts,
  action: TransferAction,
  session: Session,
): Promise<Pick<TransferContext, "from" | "to">> {
  const [from, to] = await Promise.all([
    session.target(server(action.from.server)),
    session.target(server(action.server)),
  ]);
  return { from, to };
}
