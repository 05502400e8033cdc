import { spawn } from "node:child_process";
import { readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { TestHost } from "../hosts/hosts.ts";

/** A secret by what it is. */
export type Secrets = Readonly<Record<string, string>>;

/** As it is, and as base64 and hex would carry it, wherever in a longer text it stands. */
function formsOf(secret: string): readonly string[] {
  const bytes = Buffer.from(secret);
  const shifted = [0, 1, 2].map((shift) => {
    const text = Buffer.concat([Buffer.alloc(shift), bytes]).toString("base64");
    // What the neighbours share a character with is left out.
    return text.slice(Math.ceil((shift * 8) / 6), Math.floor(((shift + bytes.length) * 8) / 6));
  });
  return [secret, bytes.toString("hex"), ...shifted];
}

/** Names of the secrets that stand in a text or in raw bytes. */
export function foundIn(text: string | Buffer, secrets: Secrets): readonly string[] {
  const bytes = typeof text === "string" ? Buffer.from(text) : text;
  return Object.entries(secrets)
    .filter(([, secret]) => formsOf(secret).some((form) => bytes.includes(form)))
    .map(([name]) => name);
}

/** What is found in each file below a folder, as raw bytes. */
export async function foundInFolder(folder: string, secrets: Secrets): Promise<Record<string, readonly string[]>> {
  const found: Record<string, readonly string[]> = {};
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    found[path.slice(folder.length + 1)] = foundIn(await readFile(path), secrets);
  }
  return found;
}

/** Files on a host that hold any of the secrets, in any form; their names go by stdin. */
export async function filesOnHost(
  host: TestHost,
  folders: readonly string[],
  secrets: Secrets,
): Promise<readonly string[]> {
  const input = `${Object.values(secrets).flatMap(formsOf).join("\n")}\n`;
  const { stdout } = await host.exec(["grep", "-rlaF", "--devices=skip", "-f", "-", ...folders], { input });
  return stdout
    .split("\n")
    .filter((path) => path !== "")
    .toSorted();
}

/** Which of the secrets the host's journal holds, in any field. */
export async function foundInJournal(host: TestHost, secrets: Secrets): Promise<readonly string[]> {
  return foundIn(await host.sh("journalctl --all --no-pager -o export"), secrets);
}

// Every command line and environment that processes have, each told once. With a pid: of that process's descendants only.
const SAMPLER = String.raw`
use strict; use warnings; $| = 1;
my ($root, $stop) = @ARGV;
my (%seen, $rounds);
sub content { open(my $f, "<", $_[0]) or return ""; local $/; my $c = <$f>; return $c // "" }
sub below {
  my ($pid) = @_; my @found = ($pid);
  for my $task (glob "/proc/$pid/task/*/children") { push @found, map { below($_) } split / /, content($task) }
  return @found;
}
print "ready\n";
while (!-e $stop && getppid != 1) {
  opendir(my $proc, "/proc"); my @pids = $root ? below($root) : grep { /^\d+$/ } readdir $proc;
  for my $pid (@pids) {
    next if $pid == $$;
    for my $what (qw(cmdline environ)) {
      my $text = content("/proc/$pid/$what");
      next if $text eq "" || $seen{$text}++;
      $text =~ tr/\0\n/  /; print "$what $text\n";
    }
  }
  $rounds++; select undef, undef, undef, 0.004;
}
print "rounds $rounds\n";
`;

export interface Sampled {
  /** A line each: `cmdline ...` or `environ ...`. */
  readonly lines: readonly string[];
  readonly rounds: number;
}

function sampled(output: string): Sampled {
  const lines = output.split("\n");
  return { lines, rounds: Number(/^rounds (\d+)$/m.exec(output)?.[1] ?? 0) };
}

/** Watches all processes of a host until the returned function is called, some hundred times a second. */
export async function watchHost(host: TestHost): Promise<() => Promise<Sampled>> {
  const stop = "/run/stop-sampler";
  const running = host.exec(["perl", "-e", SAMPLER, "--", "0", stop]);
  await host.sh("sleep 0.3");
  return async () => {
    await host.sh(`touch ${stop}`);
    const { stdout } = await running;
    await host.sh(`rm ${stop}`);
    return sampled(stdout);
  };
}

/** Watches this process and everything that it starts. */
export async function watchHub(stopFile: string): Promise<() => Promise<Sampled>> {
  const child = spawn("perl", ["-e", SAMPLER, "--", String(process.pid), stopFile], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const chunks: Buffer[] = [];
  const ended = new Promise((resolve) => child.once("close", resolve));
  await new Promise<void>((resolve) => {
    child.stdout.on("data", (chunk: Buffer) => {
      chunks.push(chunk);
      resolve();
    });
  });
  return async () => {
    await writeFile(stopFile, "");
    await ended;
    await rm(stopFile);
    return sampled(Buffer.concat(chunks).toString("latin1"));
  };
}
