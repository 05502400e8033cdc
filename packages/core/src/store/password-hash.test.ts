import { execFileSync } from "node:child_process";
import { expect, test } from "vitest";
import { hashPassword } from "./password-hash.ts";

// From the scheme's own specification (Drepper, SHA-crypt.txt, "Test vectors").
test("gives what the specification gives", () => {
  expect(hashPassword("Hello world!", "saltstringsaltst", 10_000)).toBe(
    "$6$rounds=10000$saltstringsaltst$OW1/O6BYHV6BcXZu8QVeXbDWra3Oeqh0sbHbbMCVNSnCM/UrjmM0Dp8vOuZeHBy/YTBmSK6H9qs/y3RnOaw5v.",
  );
});

test.each(["a", "pass word", "é".repeat(40), "x".repeat(64), "y".repeat(128)])(
  "is what the system's crypt says of %j",
  (password) => {
    const mine = hashPassword(password);
    const [, , rounds = "", salt = ""] = mine.split("$");
    const perl = "binmode STDIN; local $/; my $p = <STDIN>; print crypt($p, $ARGV[0])";
    expect(execFileSync("perl", ["-e", perl, `$6$${rounds}$${salt}$`], { input: password, encoding: "utf8" })).toBe(
      mine,
    );
    expect(hashPassword(password)).not.toBe(mine);
  },
);
