import { takeOver, type Hostwright } from "@hostwright/core";

/** After the state folder of whoever had the server is gone. */
export async function takeServerOver(hw: Hostwright): Promise<void> {
  const plan = await hw.plan(takeOver("web1"));
  console.log(plan.render()); // from whom, and since when
  const { former } = await hw.run(plan);
  console.log(former);
}
