import { Readable } from "node:stream";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { ServerChannel } from "ssh2";
import { FakeSshd, MARK } from "../../test/servers/fake-sshd.ts";

/** The parts of an sshd that misbehaves which ssh2 keeps for itself. */
interface Inside {
  readonly outgoing: { id: number; window: number };
  readonly _client: {
    readonly _sock: { pause(): void; resume(): void };
    readonly _protocol: { channelWindowAdjust(id: number, bytes: number): void };
  };
}
const inside = (channel: ServerChannel): Inside => channel as unknown as Inside;

/** ssh2 keeps to a window that is used up to its last byte. */
const PIECE = Buffer.alloc(60_001, "x");
/** What the kernel holds of a connection, and what the hub may. */
const FEW_BYTES = 32 * 1024 * 1024;
const MANY_BYTES = 256 * 1024 * 1024;

let sshd: FakeSshd;
beforeEach(async () => {
  sshd = await FakeSshd.start();
});
afterEach(async () => sshd[Symbol.asyncDispose]());

/** An sshd that allows 4 GiB to be sent and takes nothing of it. */
const greedy = (channel: ServerChannel): void => {
  channel.write(MARK);
  const { outgoing, _client } = inside(channel);
  _client._protocol.channelWindowAdjust(outgoing.id, 2 ** 32 - 2 ** 22);
  setImmediate(() => _client._sock.pause());
};

test("a server that allows everything and takes nothing is sent no more than the network takes", async () => {
  sshd.onExec = greedy;
  let taken = 0;
  const source = Readable.from(
    (function* () {
      for (; taken < MANY_BYTES; taken += PIECE.length) yield PIECE;
    })(),
  );
  const running = sshd.open().run({ argv: ["cat"], stdin: source, timeoutMs: 500 });
  await expect(running).rejects.toMatchObject({ code: "HW_SSH_LOST" });
  expect(taken).toBeGreaterThan(0);
  expect(taken).toBeLessThan(FEW_BYTES);
});

test("what is sent in one piece arrives whole, with a window as with a network that is slow", async () => {
  const sent = Buffer.from(Array.from({ length: 9_000_000 }, (_, index) => index % 251));
  let received = Buffer.alloc(0);
  sshd.onExec = (channel) => {
    const chunks: Buffer[] = [];
    const { _sock } = inside(channel)._client;
    channel.write(MARK);
    channel.on("data", (chunk: Buffer) => {
      chunks.push(chunk);
      if (chunks.length % 20 > 0) return;
      _sock.pause();
      setTimeout(() => _sock.resume(), 5);
    });
    channel.once("end", () => {
      received = Buffer.concat(chunks);
      channel.exit(0);
      channel.end();
    });
  };
  const { exitCode } = await sshd.open().run({ argv: ["cat"], stdin: sent });
  expect([exitCode, received.equals(sent)]).toEqual([0, true]);
});

test("a server that sends more than it may to somebody who does not read loses its connection", async () => {
  sshd.onForward = (channel) => {
    inside(channel).outgoing.window = 2 ** 31;
    setTimeout(() => {
      for (let sent = 0; sent < FEW_BYTES; sent += PIECE.length) channel.write(PIECE);
    }, 50);
  };
  const server = sshd.open({ answerTimeoutMs: 20_000 });
  const unread = await server.forward({ host: "127.0.0.1", port: 80 });
  const connections = async (): Promise<number> => {
    await server.run({ argv: ["true"] }).catch(() => undefined);
    return server.stats.connections;
  };
  await expect.poll(connections, { timeout: 10_000 }).toBe(2);
  expect(unread.readableLength).toBeLessThan(FEW_BYTES / 4);
});
