import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { FakeSshd, MARK, reaps, type OnExec } from "../../test/servers/fake-sshd.ts";

let sshd: FakeSshd;

beforeEach(async () => {
  sshd = await FakeSshd.start();
});
afterEach(async () => sshd[Symbol.asyncDispose]());

/** The session is gone as soon as it is looked for. */
const gone: OnExec = (channel) => {
  channel.write(MARK);
  channel.exit(0);
  channel.end();
};
const lost = { code: "HW_SSH_LOST", retryable: true, server: "web1" };

describe("a server whose sshd lives and whose disk hangs", () => {
  /** Commands begin and stay; what is to stop them begins as well, and stays. */
  const hanging: OnExec = (channel) => void channel.write(MARK);

  test("leaves no command waiting beyond its time: the connection goes, and the next one serves", async () => {
    sshd.onExec = hanging;
    const server = sshd.open();
    await expect(server.run({ argv: ["sync"], timeoutMs: 50 })).rejects.toMatchObject(lost);
    sshd.onExec = gone;
    expect((await server.run({ argv: ["true"] })).exitCode).toBe(0);
    expect(server.stats.connections).toBe(2);
  });

  test("does not keep others waiting who run on the same connection: they are told that it is lost", async () => {
    sshd.onExec = hanging;
    const server = sshd.open();
    const ended = await Promise.allSettled([
      server.run({ argv: ["cat"] }),
      server.run({ argv: ["sync"], timeoutMs: 50 }),
    ]);
    expect(ended).toMatchObject([{ reason: lost }, { reason: lost }]);
  });

  test("lets itself be closed, with what runs there", async () => {
    sshd.onExec = hanging;
    const server = sshd.open();
    const running = server.run({ argv: ["sync"] }).catch((error: unknown) => error);
    await expect.poll(() => sshd.lines.length).toBe(1);
    await server.close();
    expect(await running).toMatchObject(lost);
  });

  test("is given up when it does not even open a session", async () => {
    sshd.onExec = null;
    const server = sshd.open();
    await expect(server.run({ argv: ["true"] })).rejects.toMatchObject(lost);
  });

  test("that begins no command tells no session: the command is said to be unknown", async () => {
    sshd.onExec = () => undefined;
    const server = sshd.open();
    await expect(server.run({ argv: ["true"], timeoutMs: 50 })).rejects.toMatchObject(lost);
  });
});

test("a server that does not let go of ended commands gets a new connection, and what runs on the old one ends there", async () => {
  let finish = (): void => undefined;
  sshd.onExec = (channel, line) => {
    if (reaps(line)) return gone(channel, line);
    channel.write(MARK.replace("4711", String(sshd.lines.length)));
    // Its session is gone, but a process elsewhere still has its pipes, and waits for the disk.
    if (line.includes("stuck")) channel.close = () => undefined;
    else finish = () => gone(channel, line);
  };
  const server = sshd.open();
  const running = server.run({ argv: ["cat"] });
  const stuck = { argv: ["stuck"], timeoutMs: 50 };
  await Promise.all(Array.from({ length: 5 }, async () => server.run(stuck)));
  const ending = finish;
  sshd.onExec = gone;
  expect((await server.run({ argv: ["true"] })).exitCode).toBe(0);
  expect(server.stats.connections).toBe(2);
  ending();
  expect((await running).exitCode).toBe(0);
});

test("a forward that nobody takes ends by itself, and harms no command of the same connection", async () => {
  let finish = (): void => undefined;
  sshd.onExec = (channel) => {
    channel.write(MARK);
    finish = () => {
      channel.exit(0);
      channel.end();
    };
  };
  const server = sshd.open();
  const running = server.run({ argv: ["cat"] });
  await expect.poll(() => sshd.lines.length).toBe(1);
  await expect(server.forward({ host: "127.0.0.1", port: 80 })).rejects.toMatchObject({
    code: "HW_SOCKET_UNREACHABLE",
    retryable: true,
  });
  finish();
  expect((await running).exitCode).toBe(0);
  expect(server.stats.connections).toBe(1);
});

test("output without end is cut at its bound and stopped at its time, stderr as well", async () => {
  sshd.onExec = (channel, line) => {
    channel.write(MARK);
    if (reaps(line)) {
      channel.exit(0);
      channel.end();
      return;
    }
    // Whoever floods learns late that nobody listens any more.
    channel.stderr.on("error", () => undefined);
    const flood = (): void => {
      while (channel.writable && channel.stderr.write(Buffer.alloc(32_768, "x")));
      if (channel.writable) setTimeout(flood, 1);
    };
    flood();
  };
  const result = await sshd
    .open({ answerTimeoutMs: 20_000 })
    .run({ argv: ["yes"], timeoutMs: 300, maxOutputBytes: 100_000 });
  expect(result).toMatchObject({ timedOut: true, truncated: true });
  expect(result.stderr).toHaveLength(100_000);
});

test("a changed key is used for the next connection", async () => {
  const asked: number[] = [];
  const { privateKey } = sshd;
  const server = sshd.open({
    privateKey: async () => {
      asked.push(asked.length);
      return privateKey;
    },
  });
  sshd.onExec = (channel) => void channel.write(MARK);
  await expect(server.run({ argv: ["sync"], timeoutMs: 50 })).rejects.toMatchObject(lost);
  sshd.onExec = gone;
  await server.run({ argv: ["true"] });
  expect(asked).toHaveLength(2);
});
