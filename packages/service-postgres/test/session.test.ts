import { Duplex } from "node:stream";
import type { Target } from "@hostwright/core/plugin";
import { sql } from "@hostwright/core/plugin";
import { afterEach, expect, test, vi } from "vitest";
import { Session } from "../src/session.ts";

afterEach(() => vi.useRealTimers());

const message = (type: string, body: Buffer): Buffer => {
  const head = Buffer.alloc(5, type);
  head.writeInt32BE(4 + body.length, 1);
  return Buffer.concat([head, body]);
};
const READY = message("Z", Buffer.from("I"));

/** A PostgreSQL that lets in, takes the settings, and then reads on and says nothing more, not even goodbye. */
function stuck(): Duplex {
  const answers = [
    Buffer.concat([message("R", Buffer.alloc(4)), READY]),
    Buffer.concat([message("C", Buffer.from("SET\0")), READY]),
  ];
  const peer: Duplex = new Duplex({
    read: () => undefined,
    write(_chunk, _encoding, done) {
      const answer = answers.shift();
      if (answer !== undefined) peer.push(answer);
      done();
    },
    final: () => undefined,
  });
  return peer;
}

const target = { scope: "site/s1" } as Target;

test("a statement that is not answered ends the session: its answer would be taken for the next one's", async () => {
  const peer = stuck();
  const session = await Session.login(target, peer, null);
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  const asked = session.query(sql`SELECT 1`).catch((error: unknown) => error);
  await vi.advanceTimersByTimeAsync(121_000);
  expect(await asked).toMatchObject({ message: "Query read timeout" });
  expect([session.alive, peer.destroyed]).toEqual([false, true]);
  await session.close();
});

test("a server that does not say goodbye is not waited for", async () => {
  const peer = stuck();
  const session = await Session.login(target, peer, null);
  await session.close();
  expect(peer.destroyed).toBe(true);
});
