import { execFile } from "node:child_process";
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, expect, test } from "vitest";
import { serverBehaviour } from "../../test/servers/behaviour.ts";
import { LocalServer } from "./local-server.ts";

const folder = await mkdtemp(join(tmpdir(), "local-server-"));
const echoSocket = join(folder, "echo.sock");
const echo = createServer((socket) => socket.on("error", () => {}).pipe(socket));
await new Promise<void>((resolve) => echo.listen(echoSocket, resolve));
await chmod(folder, 0o755);
await chmod(echoSocket, 0o777);
afterAll(async () => {
  echo.close();
  await rm(folder, { recursive: true });
});

serverBehaviour("LocalServer", async () => ({
  server: new LocalServer(),
  root: process.getuid?.() === 0,
  echoSocket,
  closedCode: "HW_CANCELLED",
  another: () => new LocalServer("another"),
}));

test("a closed server lets the process exit", async () => {
  const program = `
    const { LocalServer } = await import(${JSON.stringify(new URL("local-server.ts", import.meta.url).href)});
    const server = new LocalServer();
    await server.run({ argv: ["true"] });
    server.run({ argv: ["sleep", "600"] }).catch((error) => console.log(error.code));
    setTimeout(() => server.close(), 100);`;
  const argv = ["--conditions=@hostwright/source", "--input-type=module", "--eval", program];
  const { stdout } = await promisify(execFile)(process.execPath, argv, { timeout: 55_000 });
  expect(stdout).toBe("HW_CANCELLED\n");
});
