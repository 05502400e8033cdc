import { batch, isHostwrightError, verify, type ChildrenReport, type Hostwright } from "@hostwright/core";

/** Sets right every site, eight at once; stops when five of them failed, since then something else is wrong. */
export async function verifyAll(hw: Hostwright): Promise<ChildrenReport> {
  const sites = await hw.sites.list();
  const requests = sites.map(({ domain }) => verify(domain));
  try {
    return await hw.run(batch(requests, { concurrency: 8, stopAfter: 5 }));
  } catch (error) {
    if (!isHostwrightError(error) || error.code !== "HW_BATCH_STOPPED") throw error;
    return error.data["report"] as ChildrenReport;
  }
}

/** What is left to be looked at. */
export function failures({ children }: ChildrenReport): readonly string[] {
  return children.flatMap(({ title, state, error }) =>
    error === null ? [] : [`${title}: ${state}, ${error.message}`],
  );
}
