import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { run } from "./run.ts";

/** FS_IOC_SHUTDOWN with EXT4_GOING_FLAGS_NOLOGFLUSH: from now on nothing reaches the disk, not even the journal in memory. */
const SHUT_DOWN =
  'open my $dir, "<", $ARGV[0] or die $!; my $flags = pack "I", 2; ioctl $dir, 0x8004587d, $flags or die $!';

const imageOf = (folder: string): string => join(folder, "disk.img");
const mountOf = (folder: string): string => join(folder, "disk");

/**
 * A file system of its own for what a host writes, where a loss of power can be had: ext4 on a file. Its journal is
 * committed when something asks for it and otherwise not for ten minutes, so that what nobody synced is really lost.
 */
export async function makeOwnDisk(folder: string, size: string): Promise<string> {
  await run("truncate", ["-s", size, imageOf(folder)]);
  await run("mkfs.ext4", ["-q", "-E", "lazy_itable_init=1,lazy_journal_init=1", imageOf(folder)]);
  await mkdir(mountOf(folder), { recursive: true });
  await mountOwnDisk(folder);
  return mountOf(folder);
}

export async function mountOwnDisk(folder: string): Promise<void> {
  await run("mount", ["-o", "loop,commit=600", imageOf(folder), mountOf(folder)]);
}

/**
 * What reached the disk, as a disk of its own: other hosts that booted meanwhile have copies of every mount of this machine,
 * so that the file system that was ended would only be had again.
 */
export async function replaceOwnDisk(folder: string): Promise<void> {
  await run("cp", ["--sparse=always", imageOf(folder), `${imageOf(folder)}.new`]);
  await run("mv", [`${imageOf(folder)}.new`, imageOf(folder)]);
}

/** The disk ends at this moment with what was synced. The host still runs, and gets an error for whatever it writes. */
export async function stopOwnDisk(folder: string): Promise<void> {
  await run("perl", ["-e", SHUT_DOWN, mountOf(folder)]);
}
