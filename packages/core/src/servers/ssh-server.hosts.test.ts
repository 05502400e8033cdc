import { execFile } from "node:child_process";
import { setTimeout as delay } from "node:timers/promises";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startHosts, type TestHost, type TestHosts } from "../../../../test/hosts/hosts.ts";
import { makeKeyPair } from "../../../../packages/testing/src/containers/keys.ts";
import { serverBehaviour } from "../../test/servers/behaviour.ts";
import { secret } from "../model/secret.ts";
import { runChecked } from "./checked.ts";
import { keepAlive } from "./keep-alive.ts";
import { connectSsh } from "./ssh-connect.ts";
import { SshServer, type SshServerOptions } from "./ssh-server.ts";
import { underLoad } from "../../../../test/support/under-load.ts";

const ECHO = "/run/echo.sock";
const ECHO_PROGRAM = `use Socket; unlink "${ECHO}"; socket(S, PF_UNIX, SOCK_STREAM, 0); bind(S, pack_sockaddr_un("${ECHO}")); listen(S, 64);
  $SIG{CHLD} = "IGNORE"; while (accept(C, S)) { if (!fork) { while (sysread(C, $b, 65536)) { syswrite(C, $b) } exit } close C }`;

let hosts: TestHosts;
let host: TestHost;
const opened: SshServer[] = [];

function open(options: Partial<SshServerOptions> = {}): SshServer {
  const { address, port, user, privateKey, hostKey } = host;
  const server = new SshServer({
    name: "web1",
    host: address,
    port,
    user,
    privateKey: secret(privateKey),
    hostKeys: [hostKey],
    ...options,
  });
  opened.push(server);
  return server;
}

async function listening(port: number): Promise<void> {
  await host.sh(`until ss -Hltn 'sport = :${port}' | grep -q .; do sleep 0.05; done`);
}

async function listen(port: number, accepted: string): Promise<void> {
  const program = `my $s = IO::Socket::INET->new(LocalPort => ${port}, Listen => 5); my @c; while (my $c = $s->accept) { ${accepted} }`;
  await host.exec(["systemd-run", "perl", "-MIO::Socket::INET", "-e", program]);
  await listening(port);
}

async function maxSessions(line: string): Promise<void> {
  await host.sh(`printf '%s' "${line}" >/etc/ssh/sshd_config.d/sessions.conf; systemctl restart ssh`);
  await listening(22);
}

beforeAll(async () => {
  hosts = await startHosts([{ name: "web1" }]);
  host = hosts.host("web1");
  await host.exec(["systemd-run", "--unit=echo", "perl", "-e", ECHO_PROGRAM]);
  await host.sh(`useradd --create-home deploy
    useradd --create-home stranger
    for user in deploy stranger; do install -D -o $user -m 600 /root/.ssh/authorized_keys /home/$user/.ssh/authorized_keys; done
    echo "deploy ALL=(ALL) NOPASSWD: ALL" >/etc/sudoers.d/deploy`);
});
afterAll(async () => {
  await Promise.all(opened.map((server) => server.close()));
  await hosts?.stop();
});

async function openToAll(): Promise<void> {
  await host.sh(`until test -S ${ECHO}; do sleep 0.1; done; chmod 666 ${ECHO}`);
}

serverBehaviour("SshServer as root", async () => {
  await openToAll();
  return { server: open(), root: true, echoSocket: ECHO, closedCode: "HW_SSH_LOST", another: () => open() };
});

serverBehaviour("SshServer through sudo", async () => {
  await openToAll();
  const another = (): SshServer => open({ user: "deploy" });
  return { server: another(), root: true, echoSocket: ECHO, closedCode: "HW_SSH_LOST", another };
});

describe("SshServer", () => {
  test("connects once for all that is asked at the same time", async () => {
    const server = open();
    await Promise.all(Array.from({ length: 20 }, () => server.run({ argv: ["true"] })));
    expect(server.stats).toMatchObject({ connections: 1, roundTrips: 20 });
  });

  test("refuses an unknown host key and says which it was", async () => {
    const recorded = `SHA256:${"A".repeat(43)}`;
    const error = await open({ hostKeys: [recorded] })
      .run({ argv: ["true"] })
      .catch((reason: unknown) => reason);
    expect(error).toMatchObject({
      code: "HW_SSH_HOST_KEY",
      retryable: false,
      server: "web1",
      data: { expected: [recorded], got: host.hostKey, type: "ssh-ed25519" },
    });
    await expect(open({ hostKeys: [] }).run({ argv: ["true"] })).rejects.toMatchObject({ code: "HW_SSH_HOST_KEY" });
  });

  test("accepts any of several recorded host keys", async () => {
    const server = open({ hostKeys: [`SHA256:${"A".repeat(43)}`, host.hostKey] });
    expect((await server.run({ argv: ["true"] })).exitCode).toBe(0);
  });

  test("tells a refused key from an unreachable server", async () => {
    const wrong = await makeKeyPair("wrong");
    const run = (options: Partial<SshServerOptions>): Promise<unknown> => open(options).run({ argv: ["true"] });
    await expect(run({ privateKey: secret(wrong.privateKey) })).rejects.toMatchObject({
      code: "HW_SSH_AUTH",
      retryable: false,
    });
    await expect(run({ privateKey: secret("no key") })).rejects.toMatchObject({ code: "HW_SSH_AUTH" });
    await expect(run({ port: 1 })).rejects.toMatchObject({ code: "HW_SSH_UNREACHABLE", data: { reason: "refused" } });
    await expect(run({ host: "no-such-host.invalid" })).rejects.toMatchObject({
      code: "HW_SSH_UNREACHABLE",
      data: { reason: "dns" },
    });
  });

  test("gives up on a server that accepts and says nothing", async () => {
    await listen(7022, "push @c, $c");
    const since = performance.now();
    const failing = open({ port: 7022, connectTimeoutMs: 800 }).run({ argv: ["true"] });
    await expect(failing).rejects.toMatchObject({
      code: "HW_SSH_UNREACHABLE",
      retryable: true,
      data: { reason: "timeout" },
    });
    expect(performance.now() - since).toBeLessThan(underLoad(2000));
  });

  test("tries three times where the server drops connections before the handshake", async () => {
    await listen(7023, 'open F, ">>/run/dropped"; print F "x"; close F; close $c');
    await expect(open({ port: 7023 }).run({ argv: ["true"] })).rejects.toMatchObject({
      code: "HW_SSH_UNREACHABLE",
      data: { reason: "reset" },
    });
    expect(await host.sh("cat /run/dropped")).toBe("xxx");
  });

  test("a connection lost in the middle of a command is an error, and the next command reconnects", async () => {
    const server = open();
    const daemon = (await server.script({ script: "echo $PPID" })).stdout.toString().trim();
    const running = server.run({ argv: ["sleep", "30"] });
    setTimeout(() => void host.exec(["kill", "-KILL", daemon]), 300);
    await expect(running).rejects.toMatchObject({ code: "HW_SSH_LOST", retryable: true, server: "web1" });
    expect((await server.run({ argv: ["echo", "again"] })).stdout.toString()).toBe("again\n");
    expect(server.stats.connections).toBe(2);
  });

  test("a connection that was lost while idle is opened again", async () => {
    const server = open();
    const daemon = (await server.script({ script: "echo $PPID" })).stdout.toString().trim();
    await host.exec(["kill", "-KILL", daemon]);
    const before = server.stats.bytesSent;
    expect((await server.run({ argv: ["true"] })).exitCode).toBe(0);
    expect(server.stats.connections).toBe(2);
    expect(server.stats.bytesSent).toBeGreaterThan(before);
  });

  test("works within a smaller MaxSessions than it expects", async () => {
    await maxSessions("MaxSessions 3");
    try {
      const server = open();
      const results = await Promise.all(Array.from({ length: 20 }, () => server.run({ argv: ["sleep", "0.05"] })));
      expect(results.every(({ exitCode }) => exitCode === 0)).toBe(true);
    } finally {
      await maxSessions("");
    }
  });

  test("a login that may not use sudo is told so", async () => {
    await expect(runChecked(open({ user: "stranger" }), { argv: ["true"] })).rejects.toMatchObject({
      code: "HW_PERMISSION_DENIED",
      server: "web1",
    });
  });

  test("what a login shell prints at its start does not get into the output", async () => {
    await host.sh("printf 'echo noise; echo more\\n' >/home/deploy/.bashrc; usermod --shell /bin/bash deploy");
    const { stdout } = await open({ user: "deploy" }).run({ argv: ["echo", "clean"] });
    expect(stdout.toString()).toBe("clean\n");
  });

  test("refuses a command line that no shell would take", async () => {
    await expect(open().run({ argv: ["echo", "x".repeat(140_000)] })).rejects.toMatchObject({
      code: "HW_INPUT_INVALID",
    });
    expect((await open().run({ argv: ["printf", "%s", "x".repeat(100_000)] })).stdout).toHaveLength(100_000);
  });

  test("a closed server lets the process exit", async () => {
    const module = (path: string): string => JSON.stringify(new URL(path, import.meta.url).href);
    const program = `
      import { text } from "node:stream/consumers";
      const { SshServer } = await import(${module("ssh-server.ts")});
      const { secret } = await import(${module("../model/secret.ts")});
      const options = JSON.parse(await text(process.stdin));
      const server = new SshServer({ ...options, privateKey: secret(options.privateKey) });
      await server.run({ argv: ["true"] });
      server.run({ argv: ["sleep", "60"] }).catch((error) => console.log(error.code));
      setTimeout(() => server.close(), 200);`;
    const running = promisify(execFile)(
      process.execPath,
      ["--conditions=@hostwright/source", "--input-type=module", "--eval", program],
      { timeout: 8000 },
    );
    const { address, port, user, privateKey, hostKey } = host;
    running.child.stdin?.end(
      JSON.stringify({ name: "web1", host: address, port, user, privateKey, hostKeys: [hostKey] }),
    );
    expect((await running).stdout).toBe("HW_SSH_LOST\n");
  });

  test("sshd answers what an idle connection is kept alive by", async () => {
    const { address, port, user, privateKey, hostKey } = host;
    const { client, socket } = await connectSsh(
      {
        name: "web1",
        host: address,
        port,
        user,
        hostKeys: [hostKey],
        privateKey: secret(privateKey),
        connectTimeoutMs: 20_000,
      },
      new AbortController().signal,
    );
    keepAlive(client, socket, 100);
    await delay(2000);
    expect(socket.destroyed).toBe(false);
    client.end();
  });

  test("leaves nothing behind on the server", async () => {
    const server = open();
    const list =
      "find /tmp /run /root -newer /run/since -not -path '/run/systemd/*' -not -path '/run/log/*' -not -name motd.dynamic -type f 2>/dev/null; rm /run/since";
    await host.sh("touch /run/since; sleep 0.05");
    await server.run({ argv: ["sleep", "9"], timeoutMs: 100 });
    await server.close();
    expect(await host.sh(list)).toBe("");
  });

  test("runs 201 commands over one connection, a round trip each", async () => {
    const server = open();
    const start = performance.now();
    await server.run({ argv: ["true"] });
    const connected = performance.now() - start;
    const times: number[] = [];
    for (let count = 0; count < 200; count += 1) {
      const since = performance.now();
      await server.run({ argv: ["true"] });
      times.push(performance.now() - since);
    }
    times.sort((a, b) => a - b);
    const median = times[100] ?? 0;
    console.log(`connect and first command ${connected.toFixed(1)} ms; median of 200 commands ${median.toFixed(2)} ms`);
    expect(server.stats).toMatchObject({ connections: 1, roundTrips: 201 });
  });
});
