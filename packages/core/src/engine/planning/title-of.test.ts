import { expect, test } from "vitest";
import * as z from "zod";
import { titleOf } from "./task-engine.ts";
import { NOTHING, type TaskType } from "./task-type.ts";

const schema = z.strictObject({ type: z.string(), name: z.string() });

function titled(title: TaskType<z.infer<typeof schema>>["title"]): Parameters<typeof titleOf>[0] {
  const type: TaskType<z.infer<typeof schema>> = {
    type: "test:own",
    schema,
    title,
    plan: async () => ({ ...NOTHING, title: "", leases: [], steps: [] }),
  };
  return { tasks: new Map([["test:own", type]]) };
}

test("a request is called what its type calls it, and by its type where that has no words for it", () => {
  const own = { type: "test:own", name: "a" };
  const parts = titled(({ name }) => `own ${name}`);
  expect(titleOf(parts, own)).toBe("own a");
  expect(titleOf(parts, { type: "test:own" })).toBe("test:own");
  expect(titleOf(parts, { type: "test:other" })).toBe("test:other");
  const speechless = titled(() => {
    throw new TypeError("no words");
  });
  expect(titleOf(speechless, own)).toBe("test:own");
});
