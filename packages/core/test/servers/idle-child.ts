import { text } from "node:stream/consumers";
import { secret } from "../../src/model/secret.ts";
import { SshServer, type SshServerOptions } from "../../src/servers/ssh-server.ts";

/** An application that runs one command and waits for its end, and leaves the connection to Node. */
const given = JSON.parse(await text(process.stdin)) as Omit<SshServerOptions, "privateKey"> & { privateKey: string };
const server = new SshServer({ ...given, privateKey: secret(given.privateKey) });
const { stdout } = await server.run({ argv: ["true"] });
console.log(stdout.toString());
