import { SecretVault } from "../../store/secrets.ts";
import type { EngineParts } from "../planning/task-engine.ts";

/** The engine's parts for the worker of one task: see `StateStore.held`. */
export function heldParts(parts: EngineParts, task: string, holder: string): EngineParts {
  const writes = parts.store.held(task, holder);
  return { ...parts, store: { ...parts.store, ...writes }, vault: new SecretVault(writes.secrets, parts.box) };
}
