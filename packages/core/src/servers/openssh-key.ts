import { createHash, type KeyObject } from "node:crypto";

const BLOCK = 8;

/** An ed25519 key in OpenSSH's own format, without a passphrase: the only one that ssh2 reads such a key in. */
export function opensshEd25519(key: KeyObject): string {
  const { d = "", x = "" } = key.export({ format: "jwk" });
  const [seed, point] = [Buffer.from(d, "base64url"), Buffer.from(x, "base64url")];
  const type = field("ssh-ed25519");
  // Usually drawn: so the same key has the same text each time that it is put.
  const check = createHash("sha256").update(point).digest().subarray(0, 4);
  const secrets = Buffer.concat([check, check, type, field(point), field(Buffer.concat([seed, point])), field("")]);
  const padding = Buffer.from([1, 2, 3, 4, 5, 6, 7].slice(0, (BLOCK - (secrets.length % BLOCK)) % BLOCK));
  const blob = Buffer.concat([
    Buffer.from("openssh-key-v1\0"),
    field("none"),
    field("none"),
    field(""),
    Buffer.from([0, 0, 0, 1]),
    field(Buffer.concat([type, field(point)])),
    field(Buffer.concat([secrets, padding])),
  ]);
  const lines = blob.toString("base64").match(/.{1,70}/g) ?? [];
  return ["-----BEGIN OPENSSH PRIVATE KEY-----", ...lines, "-----END OPENSSH PRIVATE KEY-----", ""].join("\n");
}

function field(value: string | Buffer): Buffer {
  const bytes = Buffer.from(value);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}
