import { randomBytes } from "node:crypto";
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished, vi } from "vitest";
import { secret } from "../model/secret.ts";
import { loadKeyring } from "./keyring.ts";

const bytes = randomBytes(32);
const text = bytes.toString("base64");
const invalid = expect.objectContaining({ code: "HW_INPUT_INVALID" });

function temporary(): string {
  const directory = mkdtempSync(join(tmpdir(), "hostwright-key-"));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  return directory;
}

it("makes the key file of a state folder once, whole and for its owner only, and reads it afterwards", () => {
  const stateDir = temporary();
  const made = loadKeyring({ stateDir });
  expect(statSync(join(stateDir, "key")).mode & 0o777).toBe(0o600);
  expect(Buffer.from(readFileSync(join(stateDir, "key"), "utf8"), "base64")).toHaveLength(32);
  expect(loadKeyring({ stateDir })).toEqual(made);
  expect(readdirSync(stateDir)).toEqual(["key"]);
  expect(loadKeyring({ stateDir: temporary() })[0].id).not.toBe(made[0].id);
});

it("gives the same keys by bytes, secret, file and environment, and three subkeys apart", () => {
  const file = join(temporary(), "k");
  writeFileSync(file, `${text}\n`, { mode: 0o600 });
  vi.stubEnv("HOSTWRIGHT_TEST_KEY", text);
  onTestFinished(() => void vi.unstubAllEnvs());
  const ring = loadKeyring({ key: bytes });
  for (const source of [{ key: secret(text) }, { file }, { env: "HOSTWRIGHT_TEST_KEY" }])
    expect(loadKeyring(source)).toEqual(ring);
  const { sealing, fingerprints, macs } = ring[0];
  expect(
    new Set([...[sealing, fingerprints, macs].map((key) => key.export()), bytes].map((key) => key.toString("hex")))
      .size,
  ).toBe(4);
});

it("reads several keys, the first first", () => {
  const other = randomBytes(32);
  const ring = loadKeyring({ key: secret(`${text}\n${other.toString("base64")}\n`) });
  expect(ring.map(({ id }) => id)).toEqual([loadKeyring({ key: bytes })[0].id, loadKeyring({ key: other })[0].id]);
});

it("refuses a file that others can read", () => {
  const stateDir = temporary();
  loadKeyring({ stateDir });
  for (const mode of [0o640, 0o604, 0o620]) {
    chmodSync(join(stateDir, "key"), mode);
    expect(() => loadKeyring({ stateDir })).toThrow(expect.objectContaining({ code: "HW_STORE_EXPOSED" }));
  }
});

it("refuses what is no key of full strength, and a named source that is not there, without showing the key", () => {
  const file = join(temporary(), "none");
  for (const key of [
    "",
    "   ",
    "short",
    text.slice(0, -1),
    `${text}!`,
    randomBytes(16).toString("base64"),
    text.replace(/./, "*"),
  ]) {
    expect(() => loadKeyring({ key: secret(key) })).toThrow(invalid);
  }
  expect(() => loadKeyring({ key: secret(`${text}x`) })).not.toThrow(text);
  expect(() => loadKeyring({ key: new Uint8Array(16) })).toThrow(invalid);
  expect(() => loadKeyring({ file })).toThrow(invalid);
  expect(() => loadKeyring({ env: "HOSTWRIGHT_TEST_UNSET" })).toThrow(invalid);
  expect(() => loadKeyring({})).toThrow(invalid);
  expect(() => loadKeyring({ key: bytes, file })).toThrow(invalid);
});
