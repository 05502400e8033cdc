import { once } from "node:events";
import { createServer, type AddressInfo, type Socket } from "node:net";
import { afterAll, describe, expect, onTestFinished, test } from "vitest";
import type { Target } from "../contracts/resource.ts";
import { LocalServer } from "../servers/local-server.ts";
import { fetchPage, titleOf, type Page } from "./probe-page.ts";

const server = new LocalServer("web1");
afterAll(async () => server.close());

/** A web server that answers whatever it is asked. */
async function answering(answer: (socket: Socket) => void): Promise<Page> {
  const web = createServer((socket) => {
    socket.on("error", () => undefined);
    socket.once("data", () => answer(socket));
  });
  web.listen(0, "127.0.0.1");
  await once(web, "listening");
  onTestFinished(() => void web.close());
  const { port } = web.address() as AddressInfo;
  const target = { server, signal: new AbortController().signal } as unknown as Target;
  return fetchPage(target, { domain: "example.com", port, path: "/" });
}

const HEAD = "HTTP/1.1 200 OK\r\nconnection: close\r\n";

/** As fast as it is taken, until the other end goes. */
function without(end: Buffer): (socket: Socket) => void {
  return (socket) => {
    const write = (): void => {
      while (!socket.destroyed && socket.write(end));
    };
    socket.on("drain", write);
    write();
  };
}

describe("a site that answers without end", () => {
  test("has answered with what is read of its page, which is bounded", async () => {
    let sent = 0;
    const page = await answering((socket) => {
      socket.write(`${HEAD}\r\n<title>Endless</title>`);
      without(Buffer.alloc(65_536, "x"))(socket);
      socket.once("close", () => (sent = socket.bytesWritten));
    });
    expect(page).toMatchObject({ status: 200, title: "Endless" });
    expect(page.bytes).toBeLessThan(4_000_000);
    await expect.poll(() => sent).toBeGreaterThan(0);
    // What is on its way between the two is the kernel's.
    expect(sent).toBeLessThan(32_000_000);
  });

  test("of single letters in long wrappings is read no further than one of letters alone", async () => {
    let sent = 0;
    const page = await answering((socket) => {
      socket.write(`${HEAD}transfer-encoding: chunked\r\n\r\n`);
      without(Buffer.from(`1;${"y".repeat(15_000)}\r\nx\r\n`))(socket);
      socket.once("close", () => (sent = socket.bytesWritten));
    });
    expect(page.status).toBe(200);
    await expect.poll(() => sent).toBeGreaterThan(0);
    expect(sent).toBeLessThan(32_000_000);
  });

  test.each([
    ["headers", Buffer.from(`x: ${"y".repeat(8_000)}\r\n`), HEAD],
    ["trailers", Buffer.from(`x: ${"y".repeat(8_000)}\r\n`), `${HEAD}transfer-encoding: chunked\r\n\r\n0\r\n`],
    ["a chunk's own words", Buffer.alloc(8_000, "y"), `${HEAD}transfer-encoding: chunked\r\n\r\n1;`],
    ["announcements", Buffer.from("HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n"), ""],
  ])("of %s has not answered", async (_what, end, head) => {
    const answer = answering((socket) => {
      socket.write(head);
      without(end)(socket);
    });
    await expect(answer).rejects.toMatchObject({ code: "HW_PROBE_FAILED", retryable: true });
  });
});

describe("the title of a page", () => {
  test.each([
    ["<html><head><title>Plain</title>", "Plain"],
    ["<TITLE lang='x'>\n With attributes </TITLE >", "With attributes"],
    ["<titles>no</titles>", ""],
    ["<title>never closed", ""],
    ["no title", ""],
    [`<title>${"x".repeat(1_000)}</title>`, "x".repeat(300)],
    ["<title>a\u001b[31mb</title>", "a[31mb"],
  ])("%s is %s", (html, title) => {
    expect(titleOf(html)).toBe(title);
  });
});
