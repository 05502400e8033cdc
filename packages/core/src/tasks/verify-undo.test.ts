import { expect, test } from "vitest";
import { FakeInventory } from "../../test/fake-inventory.ts";
import { undoOrder } from "../engine/actions/activations.ts";
import { verify } from "./verify.ts";

test("the undo of a server's verify puts former entries in force before it takes away what the newer ones name", async () => {
  await using inventory = await FakeInventory.open();
  for (const gone of ["unit s1.service", "file /etc/web/entries/s1.conf"]) inventory.world.states("web1").delete(gone);
  const { actions } = await inventory.plan(inventory.plugins, verify("web1"));
  expect(undoOrder(actions).map((index) => actions[index]?.title)).toEqual([
    "entries of 3 sites of web1",
    "put the configuration of http on web1 in force",
    "3 sites of web1",
  ]);
});
