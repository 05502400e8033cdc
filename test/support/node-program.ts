/**
 * A program without dependencies that does what it is sent, as a hostile owner's code would: `POST /eval` evaluates an
 * expression, and gives its value, or the code of its error. It names a port of its own and logs its address, as many do.
 */
export const NODE_PROGRAM: Readonly<Record<string, string>> = {
  "package.json": JSON.stringify({ name: "sample", version: "1.2.3" }),
  "public/hello.txt": "a file",
  "public/.hidden": "secret",
  "node_modules/greeting/index.js": 'module.exports = "hello";',
  "server.js": `
const http = require("node:http");
const { once } = require("node:events");
const { createHash } = require("node:crypto");
const greeting = require("greeting");
const AsyncFunction = (async () => {}).constructor;
globalThis.requests = 0;
globalThis.kept = [];

async function evaluate(expression) {
  try {
    return await new AsyncFunction("require", "return (" + expression + ")")(require);
  } catch (error) {
    return String(error.code ?? error);
  }
}

const server = http.createServer(async (request, response) => {
  globalThis.requests += 1;
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  const body = Buffer.concat(chunks);
  const { pathname } = new URL(request.url, "http://localhost");
  if (pathname === "/") return response.setHeader("content-type", "text/html").end("<title>" + greeting + "</title>");
  if (pathname === "/stream") {
    response.write("first\\n");
    await new Promise((resolve) => setTimeout(resolve, 500));
    return response.end("last\\n");
  }
  response.setHeader("content-type", "application/json");
  const value = pathname === "/eval"
    ? await evaluate(body.toString())
    : { method: request.method, url: request.url, headers: request.headers, length: body.length };
  response.end(JSON.stringify(value ?? null));
});

server.on("upgrade", (request, socket) => {
  const key = request.headers["sec-websocket-key"] + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
  const accept = createHash("sha1").update(key).digest("base64");
  socket.write("HTTP/1.1 101 Switching Protocols\\r\\nUpgrade: websocket\\r\\nConnection: Upgrade\\r\\nSec-WebSocket-Accept: " + accept + "\\r\\n\\r\\n");
  socket.pipe(socket);
});

server.listen(3000, () => {
  const address = server.address();
  console.log("listens at " + (typeof address === "string" ? address : address.port));
});
`,
};
