import { expect, test } from "vitest";
import { newId, RECORD_ID } from "./ids.ts";

test("the form of a record's id is that of each id that is drawn for one", () => {
  for (const letter of ["r", "s", "v"])
    for (let drawn = 0; drawn < 200; drawn += 1) expect(newId(letter)).toMatch(RECORD_ID);
  for (const name of ["web1", "staging", "server-12", "s1", newId("t")]) expect(name).not.toMatch(RECORD_ID);
});
