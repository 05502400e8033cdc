import { Writable } from "node:stream";
import { setImmediate as turn } from "node:timers/promises";
import { expect, test } from "vitest";
import { gathering } from "./ssh-connect.ts";

/** A socket that notes what is sent in one call. */
function socket(): { readonly stream: Writable; readonly sent: string[][] } {
  const sent: string[][] = [];
  const stream = new Writable({
    highWaterMark: 8,
    writev: (chunks, done) => {
      sent.push(chunks.map(({ chunk }) => String(chunk)));
      done();
    },
  });
  return { stream: gathering(stream), sent };
}

test("pieces that are written in one turn are sent together and in order, and nothing waits longer", async () => {
  const { stream, sent } = socket();
  for (const piece of ["length", "packet", "tag"]) stream.write(piece);
  expect(sent).toEqual([]);
  await turn();
  stream.write("next");
  await turn();
  expect(sent).toEqual([["length", "packet", "tag"], ["next"]]);
});

test("the writer is told when to wait, and what is written last is sent before the end", async () => {
  const { stream, sent } = socket();
  expect([stream.write("1234"), stream.write("5678")]).toEqual([true, false]);
  await new Promise((resolve) => stream.once("drain", resolve));
  stream.write("last");
  await new Promise<void>((resolve) => void stream.end(resolve));
  expect(sent).toEqual([["1234", "5678"], ["last"]]);
});

test("a socket that is destroyed meanwhile harms nobody", async () => {
  const { stream, sent } = socket();
  stream.write("lost");
  stream.destroy();
  await turn();
  expect(sent).toEqual([]);
});

test("a network that takes nothing of what is written on and on is given up", async () => {
  const stuck = gathering(new Writable({ write: () => undefined }), 1000);
  for (let count = 0; count < 15; count += 1) stuck.write(Buffer.alloc(100));
  expect(stuck.destroyed).toBe(true);
  expect(stuck.writableLength).toBeLessThan(1200);
});
