import * as fc from "fast-check";

/** What fast-check calls "binary" too, but that takes two seconds to be made, in every file that uses it. */
export const ANY_CHARACTER: fc.Arbitrary<string> = fc
  .oneof(fc.integer({ min: 0, max: 0xd7ff }), fc.integer({ min: 0xe000, max: 0x10ffff }))
  .map((code) => String.fromCodePoint(code));
