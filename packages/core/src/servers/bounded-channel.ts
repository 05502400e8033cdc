import type { Socket } from "node:net";
import type { Readable } from "node:stream";
import type { ClientChannel } from "ssh2";

/** What may wait for the network, of all channels of a connection together, before their writers wait too. */
const WAITING_BYTES = 1024 * 1024;
const PIECE_BYTES = 64 * 1024;
/** ssh2 lets a server send 2 MiB that nobody has read yet, and renews that a little early. */
const UNREAD_BYTES = 4 * 1024 * 1024;

/**
 * ssh2 writes to the socket whatever the server's window allows, however little of it the network takes; and it keeps
 * whatever a server sends, though its own window was passed. Here who writes waits for the network, and a server that
 * sends more than it may loses its connection.
 */
export function boundChannel(channel: ClientChannel, socket: Socket): void {
  boundWriting(channel, socket);
  for (const stream of [channel, channel.stderr]) boundUnread(stream, socket);
}

function boundWriting(channel: ClientChannel, socket: Socket): void {
  const write = channel._write.bind(channel);
  channel._write = (chunk: Buffer, encoding, done) => {
    const rest = chunk.subarray(PIECE_BYTES);
    const goOn = (): void => (rest.length === 0 ? done() : channel._write(rest, encoding, done));
    write(chunk.subarray(0, PIECE_BYTES), encoding, () => {
      if (socket.writableLength < WAITING_BYTES) goOn();
      else socket.once("drain", goOn);
    });
  };
}

function boundUnread(stream: Readable, socket: Socket): void {
  const push = stream.push.bind(stream);
  stream.push = (chunk: Buffer | null) => {
    if (stream.readableLength <= UNREAD_BYTES) return push(chunk);
    socket.destroy();
    return false;
  };
}
