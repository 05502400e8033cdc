import { createHash } from "node:crypto";
import { connect, isIP, type Socket } from "node:net";
import type { Writable } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";
import type { Client } from "ssh2";
import { isHostwrightError, type HostwrightError } from "../errors/hostwright-error.ts";
import type { Secret } from "../model/secret.ts";
import { boundedLookup } from "./resolve-host.ts";
import {
  authenticationFailed,
  connectError,
  type Endpoint,
  hostKeyRefused,
  type Phase,
  unreachable,
} from "./ssh-errors.ts";

export interface SshEndpoint extends Endpoint {
  /** "SHA256:..." of every key that the server may show; more than one while keys are rotated. */
  readonly hostKeys: readonly string[];
  readonly privateKey: Secret;
  /** For all tries together. */
  readonly connectTimeoutMs: number;
}

export interface Connected {
  readonly client: Client;
  readonly socket: Socket;
}

/** sshd drops connections at random beyond MaxStartups, before it says who it is. */
const TRIES = 3;
const FIRST_BACKOFF_MS = 200;
/** Far beyond what channels write: see `boundChannel`. */
const UNSENT_BYTES = 16 * 1024 * 1024;

/** As `ssh-keygen -l` shows it. */
export function fingerprint(key: Buffer): string {
  return `SHA256:${createHash("sha256").update(key).digest("base64").replace(/=$/, "")}`;
}

/** The blob begins with its own type, as a length and a name. */
function keyType(key: Buffer): string {
  return key.toString("latin1", 4, 4 + key.readUInt32BE(0));
}

/** Opens a connection, with a few tries where the server dropped it before the handshake. @throws HW_SSH_UNREACHABLE, HW_SSH_HOST_KEY, HW_SSH_AUTH */
export async function connectSsh(endpoint: SshEndpoint, signal: AbortSignal): Promise<Connected> {
  const deadline = performance.now() + endpoint.connectTimeoutMs;
  // Loaded by whoever has a server over SSH, and not by whoever imports core: it takes as long as half of the rest.
  const ssh2 = await import("ssh2");
  for (let tries = 1; ; tries += 1) {
    try {
      return await connectOnce(new ssh2.Client(), endpoint, deadline - performance.now(), signal);
    } catch (error) {
      const backoff = FIRST_BACKOFF_MS * 2 ** (tries - 1) * (1 + Math.random());
      const again = isHostwrightError(error) && error.data["reason"] === "reset" && tries < TRIES && !signal.aborted;
      if (!again || performance.now() + backoff >= deadline) throw error;
      await delay(backoff, undefined, { signal }).catch(() => {
        throw error;
      });
    }
  }
}

/**
 * Sends what is written in one turn in one call: ssh2 writes each packet in three pieces, and each piece sent for itself
 * costs a system call and a packet on the network. A server that asks on and on and takes no answer is given up.
 */
export function gathering<T extends Writable>(socket: T, most: number = UNSENT_BYTES): T {
  const write = socket.write.bind(socket) as (...args: readonly unknown[]) => boolean;
  return Object.assign(socket, {
    write: (...args: readonly unknown[]) => {
      if (socket.writableLength > most) {
        socket.destroy();
        return false;
      }
      if (socket.writableCorked === 0) {
        socket.cork();
        process.nextTick(() => socket.uncork());
      }
      return write(...args);
    },
  });
}

function connectOnce(
  client: Client,
  endpoint: SshEndpoint,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<Connected> {
  return new Promise((resolve, reject) => {
    const over = new AbortController();
    const lookup = boundedLookup(over.signal);
    const socket = gathering(connect({ host: endpoint.host, port: endpoint.port, noDelay: true, lookup }));
    // Every channel may wait for it.
    socket.setMaxListeners(0);
    let phase: Phase = isIP(endpoint.host) === 0 ? "lookup" : "connect";
    let refused: HostwrightError | undefined;
    const settle = (act: () => void): void => {
      clearTimeout(timer);
      over.abort();
      signal.removeEventListener("abort", cancel);
      act();
    };
    const fail = (error: HostwrightError): void =>
      settle(() => {
        socket.destroy();
        reject(error);
      });
    const cancel = (): void => fail(unreachable(endpoint, "reset", signal.reason));
    const late = (): void => fail(unreachable(endpoint, phase === "lookup" ? "dns" : "timeout"));
    const timer = setTimeout(late, Math.max(timeoutMs, 1));
    signal.addEventListener("abort", cancel, { once: true });
    socket.once("lookup", () => (phase = "connect"));
    socket.once("connect", () => (phase = "handshake"));
    client.on("error", (error) => fail(refused ?? connectError(endpoint, phase, error)));
    client.once("close", () => fail(refused ?? unreachable(endpoint, "reset")));
    client.once("handshake", () => (phase = "authentication"));
    client.once("ready", () => {
      client.removeAllListeners("close");
      // What happens from here on is seen at the socket's end.
      client.removeAllListeners("error");
      client.on("error", () => {});
      settle(() => resolve({ client, socket }));
    });
    try {
      client.connect({
        sock: socket,
        username: endpoint.user,
        privateKey: endpoint.privateKey.reveal(),
        // The key and nothing else: ssh2 would first ask for "none", a round trip for nothing.
        authHandler: ["publickey"],
        readyTimeout: 0,
        hostVerifier: (key: Buffer): boolean => {
          const got = fingerprint(key);
          if (endpoint.hostKeys.includes(got)) return true;
          refused = hostKeyRefused(endpoint, endpoint.hostKeys, got, keyType(key));
          return false;
        },
      });
    } catch (error) {
      // ssh2 throws at once only for a private key that it cannot read.
      fail(authenticationFailed(endpoint, error));
    }
  });
}
