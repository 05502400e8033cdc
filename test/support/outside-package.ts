import { spawn } from "node:child_process";
import { cp, mkdir, readFile, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
// @ts-expect-error -- a script of plain JavaScript
import * as user from "../../tools/strict-user.mjs";

const ROOT = resolve(import.meta.dirname, "../..");
const PLUGINS = join(ROOT, "examples/plugins");
const TSC = join(ROOT, "node_modules/.bin/tsc");
const { STRICT } = user as { readonly STRICT: object };

/** A package whose sites of a kind of its own have something of a type of its own, and which brings a kind of task. */
const ACME = `import type { BackingRole } from "@hostwright/core/plugin";
import { hostName, hostNames } from "./resource.ts";
import { exampleSessions } from "./sessions.ts";
export { noteOn, notes } from "./task.ts";

const [service] = exampleSessions.services ?? [];
if (service === undefined) throw new Error("the example has no service");
const role = service.role as BackingRole;
const site: BackingRole["site"] = (request, server) => [
  ...role.site(request, server),
  hostName({ name: request.siteId + ".sessions.internal", address: "127.0.0.1" }),
];

export const sessions: typeof exampleSessions = {
  ...exampleSessions,
  name: "acme-sessions",
  services: [{ ...service, role: { ...role, site } }],
  resourceTypes: [hostNames],
};
`;

/** What a program from outside is told, as JSON on its standard input. */
export interface OutsideOrder {
  readonly work: "prepare" | "install" | "recover";
  readonly stateDir: string;
  readonly host: {
    readonly address: string;
    readonly port: number;
    readonly user: string;
    readonly hostKey: string;
    readonly privateKey: string;
  };
  readonly source: string;
  readonly domain: string;
  /** Of an install that another process began. */
  readonly task: string;
  /** Where it dies, in the step that has the site's sessions or right after it. */
  readonly dieAt: "in the middle of" | "right after" | null;
}

const PROGRAM = `import { writeSync } from "node:fs";
import { text } from "node:stream/consumers";
import { createHostwright, install, secret, ssh, verify } from "@hostwright/core";
import { noteOn, notes, sessions } from "acme-sessions";
import { examplePostgres } from "./database.ts";
import { exampleHttp } from "./http.ts";
import { examplePhp } from "./php.ts";
import { guestbook } from "./platform.ts";

interface Order {
  work: string;
  stateDir: string;
  host: { address: string; port: number; user: string; hostKey: string; privateKey: string };
  source: string;
  domain: string;
  task: string;
  dieAt: string | null;
}

const { work, stateDir, host, source, domain, task: unfinished, dieAt } = JSON.parse(await text(process.stdin)) as Order;
// At once: what is still in a buffer dies with the process.
const tell = (line: object): void => void writeSync(1, JSON.stringify(line) + "\\n");
const die = (): void => void process.kill(process.pid, "SIGKILL");

const types = (sessions.resourceTypes ?? []).map((type) => ({
  ...type,
  apply: async (...given: Parameters<typeof type.apply>) => {
    await type.apply(...given);
    if (dieAt === "in the middle of") die();
  },
}));
const acme = { ...sessions, resourceTypes: types };
const plugins = [exampleHttp, examplePhp, examplePostgres, guestbook, acme, notes];
const hw = await createHostwright({ stateDir, plugins });
tell({ core: import.meta.resolve("@hostwright/core") });

if (work === "prepare") {
  const { address, port, user, hostKey, privateKey } = host;
  const services = [exampleHttp.service(), examplePhp.service(), examplePostgres.service(), acme.service({}, "store")];
  const connect = ssh({ host: address, port, user, hostKey, privateKey: secret(privateKey) });
  await hw.servers.put({ name: "web1", connect, services });
  await hw.platforms.put({ name: "book", server: "web1", type: guestbook.platform(), source: { path: source } });
  for (const alias of ["web1", "book"]) await hw.run(verify(alias));
}

if (work === "install") {
  const task = await hw.submit(install(domain, { platform: "book", bindings: { sessions: "web1:store" } }));
  tell({ task: task.id });
  hw.work({ concurrency: 1 });
  for await (const { task: about, type, payload } of hw.events({ after: 0 })) {
    if (about !== task.id) continue;
    if (type === "task:finished") break;
    if (dieAt === "right after" && type === "action:finished" && payload.title.includes("session store")) die();
  }
  tell({ ended: await task.outcome() });
}

if (work === "recover") {
  const working = hw.work();
  const { state, residue } = await hw.task(unfinished).outcome();
  const noted = (await hw.run(noteOn("web1", "recovered"))).server;
  const { actions, value } = await hw.plan(verify("web1"));
  const found = { actions: actions.map(({ title }) => title), problems: value.problems, check: await hw.check() };
  const site = (await hw.sites.list()).find((one) => one.domain === domain)?.id ?? null;
  tell({ state, residue, noted, site, ...found });
  await working[Symbol.asyncDispose]();
}

await hw[Symbol.asyncDispose]();
`;

interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

async function end(command: string, args: readonly string[], cwd: string, input = ""): Promise<Ended> {
  // Nothing that makes Node take the workspace's sources, or npm its settings.
  const inherited = Object.entries(process.env).filter(([name]) => !/^(?:NODE_OPTIONS|VITEST.*|npm_.*)$/i.test(name));
  const child = spawn(command, args, { cwd, env: Object.fromEntries(inherited) });
  let [stdout, stderr] = ["", ""];
  child.stdout.on("data", (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
  child.stdin.on("error", () => undefined);
  child.stdin.end(input);
  const { promise, resolve: ended, reject } = Promise.withResolvers<Ended>();
  child.once("error", reject);
  child.once("close", (code, signal) => ended({ code, signal, stdout, stderr }));
  return promise;
}

async function run(command: string, args: readonly string[], cwd: string): Promise<void> {
  const { code, stdout, stderr } = await end(command, args, cwd);
  if (code !== 0) throw new Error(`${command} ${args.join(" ")} in ${cwd} ended with ${code}\n${stdout}${stderr}`);
}

/** A folder with a package that brings plugins and a program that uses them, made of packed packages and nothing else. */
export class OutsidePackage {
  readonly folder: string;

  private constructor(folder: string) {
    this.folder = folder;
  }

  static async make(folder: string): Promise<OutsidePackage> {
    const [tarballs, acme, src] = ["tarballs", "acme", "src"].map((name) => join(folder, name)) as [
      string,
      string,
      string,
    ];
    for (const path of [tarballs, join(acme, "src"), src]) await mkdir(path, { recursive: true });
    const { version } = JSON.parse(await readFile(join(ROOT, "packages/core/package.json"), "utf8")) as {
      readonly version: string;
    };
    const root = JSON.parse(await readFile(join(ROOT, "package.json"), "utf8")) as {
      readonly devDependencies: Readonly<Record<string, string>>;
    };
    const from = (name: string): string => `${name}@${root.devDependencies[name] ?? ""}`;

    await run(TSC, ["-b", "packages/core/tsconfig.build.json"], ROOT);
    await run("npm", ["pack", "--pack-destination", tarballs, join(ROOT, "packages/core")], folder);
    await writeJson(join(folder, "package.json"), { name: "outside", private: true, type: "module" });
    const core = join(tarballs, `hostwright-core-${version}.tgz`);
    await run("npm", [...INSTALL, core, from("zod"), from("@types/node")], folder);

    await writeJson(join(acme, "package.json"), {
      name: "acme-sessions",
      version: "1.0.0",
      type: "module",
      files: ["dist"],
      exports: { types: "./dist/index.d.ts", default: "./dist/index.js" },
      peerDependencies: { "@hostwright/core": "*", zod: "*" },
    });
    for (const name of ["sessions", "task", "resource"])
      await cp(join(PLUGINS, `${name}.ts`), join(acme, "src", `${name}.ts`));
    await writeFile(join(acme, "src/index.ts"), ACME);
    await compile(acme);
    await run("npm", ["pack", "--pack-destination", tarballs, acme], folder);
    await run("npm", [...INSTALL, join(tarballs, "acme-sessions-1.0.0.tgz")], folder);

    for (const name of ["http", "php", "database", "platform"])
      await cp(join(PLUGINS, `${name}.ts`), join(src, `${name}.ts`));
    await writeFile(join(src, "program.ts"), PROGRAM);
    await compile(folder);
    return new OutsidePackage(folder);
  }

  /** How its program ended, and what it told. */
  async run(order: OutsideOrder): Promise<Pick<Ended, "code" | "signal" | "stderr"> & { readonly told: object }> {
    const { stdout, ...ended } = await end(process.execPath, ["dist/program.js"], this.folder, JSON.stringify(order));
    const lines = stdout.split("\n").filter((line) => line !== "");
    return { ...ended, told: Object.assign({}, ...lines.map((line) => JSON.parse(line) as object)) as object };
  }
}

const INSTALL = ["install", "--ignore-scripts", "--prefer-offline", "--no-audit", "--no-fund", "--loglevel=error"];

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
