import type { Target } from "@hostwright/core/plugin";
import { CacheBench, openTarget, sh } from "@hostwright/testing";
import { afterAll, beforeAll, expect, test } from "vitest";
import { accountType } from "../src/account-type.ts";
import { subject } from "./subject.ts";

let bench: CacheBench;

beforeAll(async () => {
  bench = await CacheBench.open(subject);
});

afterAll(async () => bench?.[Symbol.asyncDispose]());

test("a change that was cut off behind its file can be made again, and leaves nothing where it is not", async () => {
  await using target = openTarget(bench.host.server, { serviceOptions: bench.serviceOptions });
  const cut: Target = {
    ...target,
    mutate: async (script) =>
      target.mutate({ ...script, script: script.script.replace(/^for name in \$gone/m, "exit 1\n$&") }),
  };
  const before = await bench.snapshot();
  const user = bench.newId();
  const { password } = bench.request(user);
  const account = accountType.desired({ user, password }, target.resolve);
  const made = { key: user, before: null, after: account };
  const read = async (): Promise<unknown> => (await accountType.read(target, [user], { contents: true })).get(user);

  await expect(accountType.apply(cut, [made])).rejects.toMatchObject({ code: "HW_COMMAND_FAILED" });
  expect(await bench.snapshot()).not.toBe(before);
  expect(await read()).toBeUndefined();
  await accountType.clear?.(target, [user]);
  await sh(bench.host, `${subject.stop}; ${subject.start}`);
  expect(await bench.snapshot()).toBe(before);

  await expect(accountType.apply(cut, [made])).rejects.toMatchObject({ code: "HW_COMMAND_FAILED" });
  await accountType.apply(target, [made]);
  expect(await read()).toEqual(account);

  const gone = { key: user, before: account, after: null };
  await expect(accountType.apply(cut, [gone])).rejects.toMatchObject({ code: "HW_COMMAND_FAILED" });
  expect(await read()).toEqual(account);
  await accountType.apply(target, [gone]);
  expect(await bench.snapshot()).toBe(before);
});
