import { deleteSite, verify, type Task } from "@hostwright/core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { LivingServer } from "./support/living-server.ts";
import { atMoment } from "./support/moments.ts";

const GONE = "gone.example.com";

let living: LivingServer;

beforeAll(async () => {
  living = await LivingServer.start();
});

afterAll(async () => living?.[Symbol.asyncDispose]());

async function residueOf(task: Task): Promise<readonly string[]> {
  const outcome = await task.outcome();
  expect(outcome.state).toBe("succeeded");
  return outcome.residue.map(({ type, key }) => `${type} ${key}`);
}

/** Runs it here and gives the task, whatever its residue. */
async function carryOut(
  request: Parameters<typeof living.hw.run>[0],
  moment?: ReturnType<typeof atMoment>,
): Promise<Task> {
  let id = "";
  await living.hw.run(request, {
    onEvent: (event) => {
      id = event.task ?? id;
      moment?.(event);
    },
  });
  return living.hw.task(id);
}

test("what a delete could not remove goes with the next verify of its server, once that is possible", async () => {
  const { hw, host } = living;
  await hw.run(living.install(GONE));
  const { id } = await hw.sites.get(GONE);
  const stuck = `/srv/sites/${id}/private/stuck`;
  const lock = atMoment(living, "action:started", /^remove the files/, async () =>
    host.sh(`mkdir ${stuck} && touch ${stuck}/of-root`),
  );
  const residue = await residueOf(await carryOut(deleteSite(GONE), lock));
  expect(residue).toContainEqual(expect.stringMatching(/^run remove the files/));
  expect(residue).toContain(`directory /srv/sites/${id}/private`);
  await expect(hw.sites.get(GONE)).rejects.toMatchObject({ code: "HW_NOT_FOUND" });

  const still = await residueOf(await carryOut(verify("web1")));
  expect(still).toContainEqual(expect.stringMatching(/^run remove the files/));

  await host.sh(`rm -r ${stuck}`);
  const plan = await hw.plan(verify("web1"));
  expect(plan.actions.map(({ title }) => title)).toEqual([
    `remove the files of the deleted site/${id}`,
    "remove what 1 deleted site left on web1",
  ]);
  expect(plan.render()).toContain(`/srv/sites/${id}`);
  expect(await residueOf(await carryOut(plan))).toEqual([]);
  await living.expectUnharmed();
  expect((await hw.plan(verify("web1"))).actions).toEqual([]);
});
