import { expect, test } from "vitest";
import { shaCrypt } from "./sha-crypt.ts";

test.each([
  ["sha256", "Hello world!", "saltstring", 5000, "5B8vYYiY.CVt1RlTTf8KbXBH3hsxY/GNooZaBBGWEc5"],
  ["sha256", "a", "0123456789abcdef", 5000, "ayU.IUrWVARjs3nYpgeybIXMNdiIBTFNCdxEEQ7j/x8"],
  ["sha256", "p".repeat(70), "x", 1000, "8L.5rHYybRMIaiGj94BaWPrkahSV.dN3lqg5O3tjp95"],
  [
    "sha512",
    "Hello world!",
    "saltstringsaltst",
    10_000,
    "OW1/O6BYHV6BcXZu8QVeXbDWra3Oeqh0sbHbbMCVNSnCM/UrjmM0Dp8vOuZeHBy/YTBmSK6H9qs/y3RnOaw5v.",
  ],
] as const)("%s of %s with salt %s: as crypt(3)", (algorithm, password, salt, rounds, expected) => {
  expect(shaCrypt(algorithm, password, Buffer.from(salt), rounds)).toBe(expected);
});
