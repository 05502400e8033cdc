import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { PUMP } from "./pump.ts";
import { pumpInput } from "./pump-input.ts";
import { ReportLines, type Report } from "./report.ts";

const PIPE = `taking=$(head -c "$2"; echo .)
perl -e "$1" -- send "$3" | { printf %s "\${taking%.}"; exec cat; } | perl -e "$1" -- receive "$3"`;

interface Ends {
  readonly give: string;
  readonly take?: string;
  readonly trailer?: string;
  readonly input?: string;
}

/** What came of it, and what the sink said. */
function carried({ give, take = "cat >&2", trailer = "", input = "" }: Ends): {
  readonly report: Report;
  readonly said: string;
} {
  const [giving, taking] = [
    pumpInput({ argv: ["sh", "-c", give, "a b", "$HOME"], login: "gives\n", input, trailer }),
    pumpInput({ argv: ["sh", "-c", `${take}; code=$?; echo END >&2; exit $code`], login: "takes\n" }),
  ];
  const { stdout, stderr } = spawnSync("sh", ["-c", PIPE, "sh", PUMP, String(taking.length), "3"], {
    input: Buffer.concat([taking, giving]),
    encoding: "utf8",
    maxBuffer: 1e9,
  });
  const lines = new ReportLines(() => undefined);
  lines.write(stdout);
  return { report: lines.report(), said: stderr };
}

const WHOLE = { source: 0, trailer: true, sink: 0 };

test("all bytes arrive, whatever they are, and each program has its own words, login and input", () => {
  const { report, said } = carried({
    give: 'cat /dev/fd/3; cat; printf "%s\\n" "$0 $1"; printf "\\377\\0\\r"',
    take: "cat /dev/fd/3 >&2; od -w99 -An -c >&2",
    input: "there: 7\n",
  });
  expect(said).toContain("takes\n");
  expect(said.replaceAll(/ +/g, "")).toContain("gives\\nthere:7\\nab$HOME\\n377\\0\\r\nEND");
  expect(report).toMatchObject({ ...WHOLE, given: 28, taken: 28 });
});

test("many bytes arrive as they are", () => {
  const sum = createHash("sha256");
  for (let line = 1; line <= 3_000_000; line += 1) sum.update(`${line}\n`);
  const { report, said } = carried({ give: "seq 3000000", take: "sha256sum >&2" });
  expect(said).toBe(`${sum.digest("hex")}  -\nEND\n`);
  expect(report).toMatchObject(WHOLE);
  expect(report.taken).toBe(report.given);
});

test.each([
  ["fails", "echo some; exit 3", "", { source: 3 }],
  ["breaks off by a signal", "echo some; kill -9 $$", "", { source: 137 }],
  ["gives nothing any more", "echo some; sleep 60", "", { source: "stalled" }],
  ["does not end", "echo some; exec >/dev/null; sleep 60", "", { source: "stalled" }],
  ["ends without its last line", "echo 'x -- Done'", "-- Done", { source: 0, trailer: false }],
  ["ends with what is no whole last line", "yes -- Done | tr -d '\\n' | head -c 700000", "-- Done", { trailer: false }],
])("a sink never sees an end when the source %s", (_what, give, trailer, expected) => {
  const { report, said } = carried({ give, trailer });
  expect(report).toMatchObject({ sink: "stopped", ...expected });
  expect(said).not.toContain("END");
});

test("a sink never sees an end when what gives is killed, and its stream breaks off", () => {
  const { report, said } = carried({ give: "echo some; sleep 0.2; kill -9 $PPID; sleep 1" });
  expect(report).toMatchObject({ source: "broken", sink: "stopped" });
  expect(said).not.toContain("END");
});

test.each(["-- Done", "-- Done on a day\n\n \n"])("the last line of a whole stream is seen: %j", (last) => {
  expect(carried({ give: `seq 100000; printf %s '${last}'`, trailer: "-- Done" }).report).toMatchObject(WHOLE);
});

test.each([
  ["that fails", "seq 1000000", "exit 4", { sink: 4 }],
  ["that fails while nothing comes", "echo some; sleep 60", "read -r line; exit 4", { sink: 4 }],
  ["that takes nothing any more", "seq 1000000", "sleep 60", { sink: "stalled" }],
  ["that does not end", "echo some", "cat; exec 0</dev/null; sleep 60", { sink: "stalled" }],
  ["that ends well too early", "seq 1000000", "head -c 10", { sink: 0, taken: 10 }],
  ["that ends well before the last bytes", "echo some more", "head -c 3", { sink: 0, taken: 3, given: 10 }],
])("a sink %s is told", (_what, give, take, expected) => {
  expect(carried({ give, take: `exec 3>&1 >&2; ${take}` }).report).toMatchObject(expected);
});
