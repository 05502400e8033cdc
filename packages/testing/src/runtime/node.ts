import type { RuntimeLanguage } from "./language.ts";

const PORT = 3000;

const HELPERS = `const fs = require("node:fs"), net = require("node:net");
const or = (otherwise, work) => { try { return work(); } catch { return otherwise; } };
const each = (all, work) => all.map((one) => or(false, () => work(one)));
const told = (value) => JSON.stringify(value ?? null);
`;

const SERVER = `${HELPERS}
const http = require("node:http");
http.createServer(async (request, response) => {
  let expression = "";
  for await (const chunk of request) expression += chunk;
  response.end(told(await eval("(" + (expression || "null") + ")")));
}).listen(${PORT}, () => console.log("listens"));
`;

const json = JSON.stringify;

/** A listener's address as Node.js takes it. */
function place(address: string): string {
  const { protocol, hostname, port, pathname } = new URL(address);
  if (protocol === "unix:") return json({ path: pathname });
  return json({ host: hostname.replaceAll(/[[\]]/g, ""), port: Number(port) });
}

const LISTEN = `(place) => new Promise((done) => {
  const server = net.createServer().once("error", () => done(false));
  server.listen(place, () => server.close(() => done(true)));
})`;

/** One program, `server.js`, which listens at a port of its own. */
export const nodeLanguage: RuntimeLanguage = {
  files: { "package.json": json({ version: "1.0.0" }), "server.js": SERVER },
  program: {
    main: "server.js",
    port: PORT,
    logs: (text) => `console.error(${json(text)})`,
    waits: (ms) => `new Promise((done) => setTimeout(done, ${ms}))`,
    ends: ["process.exit(0)", "process.exit(7)", 'process.kill(process.pid, "SIGKILL")'],
  },
  evaluating: (expression) => ["-e", `${HELPERS}Promise.resolve(${expression}).then((it) => console.log(told(it)));`],
  ids: "[process.getuid(), process.getgid()]",
  pid: "process.pid",
  owners:
    '[...new Set(fs.readdirSync("/proc").filter((name) => /^[0-9]+$/.test(name)).map((pid) => fs.statSync("/proc/" + pid).uid))]',
  signals: (pid) => `or(false, () => process.kill(${pid}, 0))`,
  lists: (folders) => `each(${json(folders)}, (path) => fs.readdirSync(path))`,
  exist: (paths) => `each(${json(paths)}, (path) => fs.existsSync(path))`,
  writes: (paths) => `each(${json(paths)}, (path) => fs.writeFileSync(path, "x") === undefined)`,
  readable: (path) => `or(false, () => fs.accessSync(${json(path)}, fs.constants.R_OK) === undefined)`,
  reads: (path) => `fs.readFileSync(${json(path)}, "utf8")`,
  listens: (addresses) => `Promise.all([${addresses.map(place).join(", ")}].map(${LISTEN}))`,
  connects: (socket) =>
    `new Promise((done) => net.connect(${json(socket)}, () => done(true)).once("error", () => done(false)))`,
  takes: (bytes) =>
    `(() => { const kept = []; for (let all = 0; all < ${bytes}; all += 8000) kept.push(new Array(1000).fill(Math.random())); return ${bytes}; })()`,
};
