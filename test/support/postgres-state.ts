import { openPostgresKernel } from "../../examples/plugins/postgres-store.ts";
import type { StateStore } from "../../packages/core/src/contracts/store.ts";
import { stateStore } from "../../packages/core/src/store/state-store.ts";

export async function openPostgresState({ url }: { readonly url: string }): Promise<StateStore> {
  return stateStore(await openPostgresKernel(url));
}
