import type { Socket } from "node:net";
import type { Client } from "ssh2";

const EVERY_MS = 5000;
const MISSED = 3;

/**
 * Asks the server now and then for something that costs nothing, and gives the connection up when it answers no longer.
 * Not ssh2's own keepalive: its timer would keep the process of an application alive that has nothing left to do.
 */
export function keepAlive(client: Client, socket: Socket, everyMs: number = EVERY_MS): void {
  let unanswered = 0;
  const ask = (): void => {
    if (unanswered === MISSED) return void socket.destroy();
    unanswered += 1;
    try {
      // Nothing was ever forwarded there: the answer is no, and an answer.
      client.unforwardIn("127.0.0.1", 0, () => (unanswered = 0));
    } catch {
      // It closed this very moment.
    }
  };
  const timer = setInterval(ask, everyMs).unref();
  socket.once("close", () => clearInterval(timer));
}
