import { strict as assert } from "node:assert";
import type { Check } from "../check.ts";
import { sh } from "../hosts/host.ts";
import type { HttpBench } from "./http-bench.ts";

/** Changes a file that is asked for again and again, and asks at once; then prints each answer that came, once. */
const CHANGE = `url=$1 file=$2 text=$3 how=$4
answers=$(mktemp -d)
# What is kept of the change before is looked at anew: then it is this one that it may miss.
sleep 1.1
ask() { curl -sS --parallel --parallel-max 8 -H 'Host: wordpress.test' -o "$answers/#1" "$url?[1-$1]" 2>&1; }
ask 400 > /dev/null; rm -f "$answers"/*
case $how in
  replaced) printf '%s\\n' "$text" > "$file.new"; mv "$file.new" "$file" ;;
  *) printf '%s\\n' "$text" > "$file" ;;
esac
said=$(ask 16) || printf '%s\\n' "$said" | sort -u
cat "$answers"/* | sort -u; rm -r "$answers"`;

const LONG = "a text that is longer than the others";
/** One after the other, so that each is longer, shorter or other than what was kept of the one before. */
const CHANGES = [
  ["replaced", "one"],
  ["grown in place", LONG],
  ["shortened in place", "two"],
  ["replaced", LONG],
  ["shortened in place", "three"],
] as const;

/** A web server may keep what it knows of a file for a while: but then with all of what the file was. */
export const rewrittenChecks: readonly Check<HttpBench>[] = [
  {
    name: "a file that is asked for while it is replaced, grown or shortened is never answered in part",
    async run(bench) {
      const [path, folder] = ["/wp-content/uploads/rewritten.txt", "/srv/sites/wordpress/public"];
      const url = `http://127.0.0.1:${bench.definition.role.port(bench.view)}${path}`;
      const first = "none";
      await sh(bench.host, `echo ${first} > ${folder}${path}; chown 20000:20000 ${folder}${path}`);
      const whole: readonly string[] = [first, ...CHANGES.map(([, text]) => text)];
      // On a busy machine one round may take longer than anything is kept.
      for (const [how, text] of [...CHANGES, ...CHANGES]) {
        const change = ["sh", "-c", CHANGE, "sh", url, `${folder}${path}`, text, how];
        const answers = (await bench.host.exec(change)).stdout.trim().split("\n");
        const cut = answers.filter((answer) => !whole.includes(answer));
        assert.deepEqual(cut, [], `${how}, to "${text}"`);
      }
      assert.equal((await bench.get("wordpress.test", `${path}?last`)).status, 200);
      await sh(bench.host, `rm ${folder}${path}`);
    },
  },
];
