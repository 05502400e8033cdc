import { SshServer } from "@hostwright/core";
import { secret } from "@hostwright/core/plugin";
import type { TestHost } from "./test-host.ts";

/** A test host as a server, for its caller to close. */
export function sshTo({ name, address, port, user, hostKey, privateKey }: TestHost): SshServer {
  return new SshServer({ name, host: address, port, user, hostKeys: [hostKey], privateKey: secret(privateKey) });
}
