import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { ERROR_CODES } from "@hostwright/core";
import { filesBelow, ROOT } from "./sources.ts";

const packages = readdirSync(join(ROOT, "packages"));
const pages = [
  "README.md",
  "ARCHITECTURE.md",
  "CONTRIBUTING.md",
  "CHANGELOG.md",
  ...filesBelow("docs", ".md"),
  ...packages.map((name) => `packages/${name}/README.md`),
];
const read = (path: string): string => readFileSync(join(ROOT, path), "utf8");

/** Without indentation, which depends on where an excerpt stands. */
const lines = (text: string): string =>
  text
    .split("\n")
    .map((line) => line.trim())
    .join("\n")
    .trim();

const examples = filesBelow("examples", ".ts").map((file) => lines(read(file)));
const blocks = (text: string, language: string): readonly string[] =>
  [...text.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\`$`, "gms"))].map(([, code = ""]) => code);

function anchors(text: string): readonly string[] {
  return [...text.matchAll(/^#+ (.+)$/gm)].map(([, title = ""]) =>
    title
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, "")
      .replaceAll(" ", "-"),
  );
}

/** Where links of a package's README lead, which is read without the repository around it. */
const HOME = "https://github.com/hostwright/hostwright/blob/main/";

const SHAPE = ["Install", "Usage", "Options", "What it puts on a server", "Testing", "Licence"];

test("the README's first example is the file examples/first-site.ts, whole", () => {
  const [first = ""] = blocks(read("README.md"), "ts");
  expect(first).toBe(read("examples/first-site.ts"));
});

describe.each(pages)("%s", (page) => {
  const text = existsSync(join(ROOT, page)) ? read(page) : "";

  test("is there", () => {
    expect(text).not.toBe("");
  });

  test("each of its TypeScript examples stands in a file that is type-checked", () => {
    const unknown = blocks(text, "ts").filter((code) => !examples.some((example) => example.includes(lines(code))));
    expect(unknown).toEqual([]);
  });

  test("its links lead somewhere", () => {
    const links = [...text.matchAll(/\]\(([^)\s]+)\)/g)]
      .map(([, link = ""]) => link)
      .filter((link) => !/^https?:/.test(link) || link.startsWith(HOME));
    const broken = links.filter((link) => {
      const [path = "", anchor] = link.replace(HOME, "").split("#");
      const base = link.startsWith(HOME) ? "" : dirname(page);
      const target = path === "" ? page : join(base, path);
      if (!existsSync(join(ROOT, target))) return true;
      return anchor !== undefined && !anchors(read(target)).includes(anchor);
    });
    expect(broken).toEqual([]);
  });

  test("the error codes that it names exist", () => {
    const named = [...text.matchAll(/\bHW_[A-Z_]+[A-Z]\b/g)].map(([code]) => code);
    expect(named.filter((code) => !(code in ERROR_CODES))).toEqual([]);
  });

  test("the scripts that it names exist", () => {
    const { scripts } = JSON.parse(read("package.json")) as { readonly scripts: Readonly<Record<string, string>> };
    const named = [...text.matchAll(/\bnpm run ([a-z:]+)/g)].map(([, name = ""]) => name);
    expect(named.filter((name) => !(name in scripts))).toEqual([]);
  });
});

describe.each(packages)("packages/%s/README.md", (name) => {
  test("has the one shape of all packages", () => {
    const text = read(`packages/${name}/README.md`);
    const titles = [...text.matchAll(/^## (.+)$/gm)].map(([, title = ""]) => title);
    expect(text).toMatch(new RegExp(`^# @hostwright/${name}\n`));
    expect(titles.filter((title) => SHAPE.includes(title))).toEqual(SHAPE);
    expect([titles[0], titles.at(-1)]).toEqual([SHAPE[0], SHAPE.at(-1)]);
  });
});
