import { createHash } from "node:crypto";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { run } from "./run.ts";

export interface KeyPair {
  privateKey: string;
  /** One line, as in authorized_keys. */
  publicKey: string;
  /** "SHA256:...", as OpenSSH shows it. */
  fingerprint: string;
}

export function fingerprintOf(publicKey: string): string {
  const blob = Buffer.from(publicKey.split(" ")[1] ?? "", "base64");
  return `SHA256:${createHash("sha256").update(blob).digest("base64").replace(/=$/, "")}`;
}

/** An ed25519 key in OpenSSH's own format, which node:crypto cannot write. */
export async function makeKeyPair(comment: string): Promise<KeyPair> {
  const folder = await mkdtemp(join(tmpdir(), "test-host-key-"));
  try {
    const file = join(folder, "key");
    await run("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", comment, "-f", file]);
    const publicKey = await readFile(`${file}.pub`, "utf8");
    return { privateKey: await readFile(file, "utf8"), publicKey, fingerprint: fingerprintOf(publicKey) };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
