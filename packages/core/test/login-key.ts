import { generateKeyPairSync } from "node:crypto";
import { opensshEd25519 } from "../src/servers/openssh-key.ts";

/** A private key that no server knows: what is put for a server must be one. */
export function loginKey(): string {
  return opensshEd25519(generateKeyPairSync("ed25519").privateKey);
}
