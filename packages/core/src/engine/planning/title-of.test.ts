import { expect, test } from "vitest";
import * as z from "zod";
import { defineTask } from "../../plugin-kit/define-task.ts";
import { titleOf } from "./parse-request.ts";

function titled(title: (input: { readonly name: string }) => string): Parameters<typeof titleOf>[0] {
  const type = defineTask({
    type: "test:own",
    version: 1,
    input: z.strictObject({ name: z.string() }),
    value: z.strictObject({}),
    request: (name: string) => ({ name }),
    title,
    subject: () => ({}),
    plan: async () => ({ title: "", about: [], steps: [], value: {} }),
  });
  return { tasks: new Map([[type.type, type]]) };
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
