/**
 * Read by Node.js before a site's program. The first server of the program that listens takes the socket that systemd
 * holds, whatever port or path it names; later ones are left alone, and refused by the sandbox. A worker of `cluster`
 * asks its primary process, which comes by here; children and threads no longer see that there is a socket.
 */
export const PRELOAD_SOURCE = `// Written by Hostwright. Changes made here are lost.
"use strict";
const { Server } = require("node:net");
const { LISTEN_FDS, LISTEN_PID, PORT } = process.env;
for (const name of ["LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES"]) delete process.env[name];

// Node.js has no address for a socket that it was handed, and programs log what they listen at without a look.
const { address, listen } = Server.prototype;
Server.prototype.address = function () {
  return address.call(this) ?? (this.listening ? PORT : null);
};

function stopGracefully(server) {
  process.prependOnceListener("SIGTERM", () => {
    // A program that handles the signal ends in its own way.
    if (process.listenerCount("SIGTERM") > 0) return;
    const closeIdle = () => server.closeIdleConnections?.();
    server.close(() => process.exit(0));
    closeIdle();
    setInterval(closeIdle, 100);
  });
}

if (LISTEN_FDS === "1" && LISTEN_PID === String(process.pid)) {
  Server.prototype.listen = function (...given) {
    Server.prototype.listen = listen;
    stopGracefully(this);
    const [{ signal } = {}] = given.filter((value) => typeof value === "object" && value !== null);
    const options = signal === undefined ? { fd: 3 } : { fd: 3, signal };
    return listen.call(this, options, given.findLast((value) => typeof value === "function"));
  };
}
`;
