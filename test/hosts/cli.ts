import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { ensureBase } from "../../packages/testing/src/containers/base.ts";
import { wordpressCodebases } from "./codebases.ts";
import { type HostSpec, startHosts } from "./hosts.ts";
import { isAlive } from "../../packages/testing/src/containers/processes.ts";
import { listHosts, listRuns, reapRuns, removeRun, runFolder } from "../../packages/testing/src/containers/runs.ts";

const usage = `usage: npm run hosts up [name[=service,service...] ...]   start hosts that stay up (default: web=nginx db=mariadb)
       npm run hosts prepare                               make what hosts are made of, and start none
       npm run hosts status                                what runs, and how to log in
       npm run hosts down [run ...]                        stop kept hosts, and remove what dead test runs left`;

const say = (line: string): void => void process.stdout.write(`${line}\n`);

async function up(args: readonly string[]): Promise<void> {
  // Hosts started here always stay up; --keep says so for those who like to say it.
  const names = args.filter((arg) => arg !== "--keep");
  const specs = (names.length > 0 ? names : ["web=nginx", "db=mariadb"]).map((arg): HostSpec => {
    const [name = "", services] = arg.split("=");
    return { name, services: services === undefined ? [] : services.split(",") };
  });
  const started = Date.now();
  const { id, hosts } = await startHosts(specs, { keep: true });
  const key = join(runFolder(id), "key");
  await mkdir(runFolder(id), { recursive: true });
  await writeFile(key, hosts[0]?.privateKey ?? "", { mode: 0o600 });
  await writeFile(join(runFolder(id), "known_hosts"), "");
  say(`run ${id}, up in ${((Date.now() - started) / 1000).toFixed(1)} s`);
  for (const host of hosts)
    say(
      `  ${host.name}  ${host.hostKey}\n    ssh -i ${key} -o UserKnownHostsFile=${join(runFolder(id), "known_hosts")} root@${host.address}`,
    );
}

async function prepare(): Promise<void> {
  await ensureBase();
  await wordpressCodebases();
}

async function status(): Promise<void> {
  const runs = await listRuns();
  if (runs.length === 0) say("no test hosts");
  for (const run of runs) {
    const owner =
      run.owner === "manual"
        ? "kept until down"
        : isAlive(run.owner)
          ? `owned by process ${run.owner.pid}`
          : "its owner is dead: down removes it";
    say(`run ${run.id} (${owner})`);
    for (const host of await listHosts(run.id)) {
      const state = host.init !== undefined && isAlive(host.init) ? "runs" : "stopped";
      say(
        `  ${host.name}  10.213.${run.network}.${host.index + 10}  ${state}  ssh -i ${join(runFolder(run.id), "key")}`,
      );
    }
  }
}

async function down(ids: readonly string[]): Promise<void> {
  const kept = (await listRuns()).filter((run) => run.owner === "manual" && (ids.length === 0 || ids.includes(run.id)));
  for (const run of kept) await removeRun(run.id);
  const dead = await reapRuns();
  for (const id of [...kept.map((run) => run.id), ...dead]) say(`removed run ${id}`);
}

const [command, ...args] = process.argv.slice(2);
if (command === "up") await up(args);
else if (command === "prepare") await prepare();
else if (command === "status") await status();
else if (command === "down") await down(args);
else {
  say(usage);
  process.exitCode = 2;
}
