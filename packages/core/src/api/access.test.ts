import { expect, test } from "vitest";
import { Access } from "./access.ts";

test.each([
  [true, true],
  [false, false],
  ["no", false],
  [1, false],
  [{}, false],
  [undefined, false],
])("a policy's answer %j, at once or later, is a yes: %j", async (answer, isYes) => {
  for (const given of [answer, Promise.resolve(answer)]) {
    const access = new Access({ id: "ann" }, { allow: () => given as boolean });
    expect(await access.allows("server:read", { kind: "server", name: "web1" })).toBe(isYes);
  }
});
