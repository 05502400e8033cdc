// Shortens what the demonstration prints, for README.md, and draws it:
//   npm run demo | node tools/demo-picture.mjs > demo.txt
//   npm run demo | node tools/demo-picture.mjs --svg > docs/demo.svg
import { text } from "node:stream/consumers";

const WIDTH = 108;
const CHANGES = 2;
const BODY = 3;

function shortened(output) {
  const lines = output.split("\n").filter((line, index, all) => line.trim() !== "" || all[index - 1]?.trim() !== "");
  const kept = [];
  let [changes, left, body, planned] = [0, 0, 0, true];
  const more = () => {
    if (left > 0) kept.push(`       ... ${left} more`);
    left = 0;
  };
  for (const line of lines) {
    if (/^ {2}(\d+\. |-- )/.test(line)) {
      if (planned) more();
      planned &&= !line.includes("-- commit");
      changes = 0;
    }
    if (planned && /^ {5}\* /.test(line)) more();
    const change = planned && /^ {5}[+~-] /.test(line);
    if (change) [changes, body] = [changes + 1, 0];
    if (planned && line.trim() === "") continue;
    if (change && changes > CHANGES) left += 1;
    else if (!planned || !/^ {9}/.test(line) || (changes <= CHANGES && ++body <= BODY)) kept.push(line);
  }
  return kept.filter((line) => !/^\s*\{.*\}$|^\s{9}$/.test(line)).map(cut);
}

function cut(line) {
  const hidden = line.replace(/(hostwright-login=[0-9a-f]{8})[0-9a-f]+/, "$1...");
  return hidden.length > WIDTH ? `${hidden.slice(0, WIDTH - 3)}...` : hidden;
}

function colour(line) {
  if (/^ {2}done/.test(line)) return "#7ee787";
  if (/^ {5,}(\+|\* )/.test(line)) return "#a5d6ff";
  if (/^ {5,}~/.test(line)) return "#ffd58a";
  if (/^ {2}\d+\. |^Plan|^http/.test(line)) return "#ffffff";
  return "#c9d1d9";
}

function svg(lines) {
  const escaped = (line) => line.replace(/[&<>]/g, (sign) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;" })[sign]);
  const rows = lines.map(
    (line, index) =>
      `<text x="16" y="${30 + index * 18}" fill="${colour(line)}" xml:space="preserve">${escaped(line)}</text>`,
  );
  const [width, height] = [32 + WIDTH * 8, 36 + lines.length * 18];
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="ui-monospace, DejaVu Sans Mono, monospace" font-size="13">
<rect width="100%" height="100%" rx="8" fill="#0d1117"/>
${rows.join("\n")}
</svg>`;
}

const lines = shortened((await text(process.stdin)).trimEnd());
console.log(process.argv.includes("--svg") ? svg(lines) : lines.join("\n"));
