import { spawn } from "node:child_process";
import { cp, mkdir, readFile, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
// @ts-expect-error -- a script of plain JavaScript
import * as user from "../../tools/strict-user.mjs";

const ROOT = resolve(import.meta.dirname, "../..");
const TSC = join(ROOT, "node_modules/.bin/tsc");
const { STRICT } = user as { readonly STRICT: object };

/** What somebody outside of the workspace writes: a package, and a program that uses it. Examples are files of `examples/plugins`, by their names. */
export interface OutsidePackage {
  /** Of the package and of the program. */
  readonly name: string;
  readonly examples: readonly string[];
  /** What it exports. */
  readonly index: string;
  /** Examples that stand beside the program instead. */
  readonly beside: readonly string[];
  /** Reads its order, as JSON, from standard input, and tells objects, one a line. */
  readonly program: string;
}

interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

interface EndOptions {
  readonly cwd: string;
  readonly input?: string;
  /** It is killed as soon as this is there. */
  readonly killed?: Promise<unknown>;
}

async function end(command: string, args: readonly string[], options: EndOptions): Promise<Ended> {
  const { cwd, input = "", killed } = options;
  // Nothing that makes Node take the workspace's sources, or npm its settings.
  const inherited = Object.entries(process.env).filter(([name]) => !/^(?:NODE_OPTIONS|VITEST.*|npm_.*)$/i.test(name));
  const child = spawn(command, args, { cwd, env: Object.fromEntries(inherited) });
  let [stdout, stderr] = ["", ""];
  child.stdout.on("data", (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
  child.stdin.on("error", () => undefined);
  child.stdin.end(input);
  void killed?.then(() => child.kill("SIGKILL"));
  const { promise, resolve: ended, reject } = Promise.withResolvers<Ended>();
  child.once("error", reject);
  child.once("close", (code, signal) => ended({ code, signal, stdout, stderr }));
  return promise;
}

async function run(command: string, args: readonly string[], cwd: string): Promise<void> {
  const { code, stdout, stderr } = await end(command, args, { cwd });
  if (code !== 0) throw new Error(`${command} ${args.join(" ")} in ${cwd} ended with ${code}\n${stdout}${stderr}`);
}

/** A folder with packages that bring plugins and programs that use them, made of packed packages and nothing else. */
export class OutsideFolder {
  readonly path: string;

  private constructor(path: string) {
    this.path = path;
  }

  static async make(path: string, packages: readonly OutsidePackage[]): Promise<OutsideFolder> {
    const tarballs = join(path, "tarballs");
    await mkdir(tarballs, { recursive: true });
    await run(TSC, ["-b", "packages/core/tsconfig.build.json"], ROOT);
    await run("npm", ["pack", "--pack-destination", tarballs, join(ROOT, "packages/core")], path);
    await writeJson(join(path, "package.json"), { name: "outside", private: true, type: "module" });
    await run("npm", [...INSTALL, join(tarballs, await coreTarball()), ...(await asOurs("zod", "@types/node"))], path);

    for (const { name, examples, index } of packages) {
      const folder = join(path, name);
      await sources(folder, examples, { "index.ts": index });
      await writeJson(join(folder, "package.json"), manifest(name));
      await compile(folder);
      await run("npm", ["pack", "--pack-destination", tarballs, folder], path);
    }
    await run("npm", [...INSTALL, ...packages.map(({ name }) => join(tarballs, `${name}-1.0.0.tgz`))], path);

    for (const { name, beside, program } of packages) await sources(path, beside, { [`${name}.ts`]: program });
    await compile(path);
    return new OutsideFolder(path);
  }

  /**
   * How a package's program ended, and what it told.
   * @param killed it is killed as soon as this is there
   */
  async run(
    { name }: OutsidePackage,
    order: object,
    killed?: Promise<unknown>,
  ): Promise<Pick<Ended, "code" | "signal" | "stderr"> & { readonly told: object }> {
    const options = { cwd: this.path, input: JSON.stringify(order), ...(killed === undefined ? {} : { killed }) };
    const { stdout, ...ended } = await end(process.execPath, [`dist/${name}.js`], options);
    const lines = stdout.split("\n").filter((line) => line !== "");
    return { ...ended, told: Object.assign({}, ...lines.map((line) => JSON.parse(line) as object)) as object };
  }
}

async function coreTarball(): Promise<string> {
  const text = await readFile(join(ROOT, "packages/core/package.json"), "utf8");
  return `hostwright-core-${(JSON.parse(text) as { readonly version: string }).version}.tgz`;
}

/** Of the versions that the workspace has. */
async function asOurs(...names: readonly string[]): Promise<readonly string[]> {
  const { devDependencies } = JSON.parse(await readFile(join(ROOT, "package.json"), "utf8")) as {
    readonly devDependencies: Readonly<Record<string, string>>;
  };
  return names.map((name) => `${name}@${devDependencies[name] ?? ""}`);
}

const manifest = (name: string): object => ({
  name,
  version: "1.0.0",
  type: "module",
  files: ["dist"],
  exports: { types: "./dist/index.d.ts", default: "./dist/index.js" },
  peerDependencies: { "@hostwright/core": "*", zod: "*" },
});

const INSTALL = ["install", "--ignore-scripts", "--prefer-offline", "--no-audit", "--no-fund", "--loglevel=error"];

async function sources(
  folder: string,
  examples: readonly string[],
  own: Readonly<Record<string, string>>,
): Promise<void> {
  const src = join(folder, "src");
  await mkdir(src, { recursive: true });
  for (const name of examples) await cp(join(ROOT, "examples/plugins", `${name}.ts`), join(src, `${name}.ts`));
  for (const [name, content] of Object.entries(own)) await writeFile(join(src, name), content);
}

async function writeJson(path: string, value: object): Promise<void> {
  await writeFile(path, JSON.stringify(value));
}

async function compile(folder: string): Promise<void> {
  const emit = { declaration: true, rewriteRelativeImportExtensions: true, rootDir: "src", outDir: "dist" };
  await writeJson(join(folder, "tsconfig.json"), {
    compilerOptions: { ...STRICT, module: "nodenext", ...emit },
    include: ["src"],
  });
  await run(TSC, ["-p", "."], folder);
}
