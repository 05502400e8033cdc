import { CONTRACT, defineBackingService, HostwrightError, RANK } from "@hostwright/core/plugin";
import type { Change, Declared, ResourceType, ServicePlugin, Target } from "@hostwright/core/plugin";
import * as z from "zod";

const TYPE = "example-dns";
const TIMEOUT_MS = 30_000;

const Options = z.strictObject({
  /** Of the API, with a slash at its end. */
  url: z.url(),
  /** Names that stand whatever sites there are, with their addresses. */
  records: z.record(z.string(), z.ipv4()).default({}),
});

/** Of one web head, or of several with a blank between them. */
const Address = z.string().refine((text) => text.split(" ").every((one) => z.ipv4().safeParse(one).success));
const Spec = z.strictObject({ name: z.hostname(), address: Address });
type DnsRecord = z.output<typeof Spec>;

/** As the API tells it: its version changes with every change. */
const State = z.object({ address: z.string(), version: z.string() });
type State = z.output<typeof State>;

async function ask(
  target: Target,
  method: string,
  path: string,
  headers: Readonly<Record<string, string>> = {},
  body?: string,
): Promise<Response> {
  const { url } = target.serviceOptions(TYPE) as z.output<typeof Options>;
  const { name: server } = target.server;
  const response = await fetch(new URL(path, url), {
    method,
    headers: { authorization: `Bearer ${target.credentials?.reveal() ?? ""}`, ...headers },
    signal: AbortSignal.any([target.signal, AbortSignal.timeout(TIMEOUT_MS)]),
    ...(body === undefined ? {} : { body }),
  }).catch((cause: unknown) => {
    target.signal.throwIfAborted();
    const message = `${server} gave no answer to ${method} ${path}; it may have done it.`;
    throw new HostwrightError("HW_COMMAND_FAILED", message, { server, retryable: true, cause });
  });
  if (response.ok || response.status === 412) return response;
  throw new HostwrightError("HW_COMMAND_FAILED", `${server} answered ${method} ${path} with ${response.status}.`, {
    server,
    retryable: response.status >= 500,
  });
}

/** Conditional, which keeps out whoever comes too late: made where there is none, changed and removed only as it was read. */
async function change(target: Target, { key, before, after }: Change<State>): Promise<void> {
  const unchanged: Readonly<Record<string, string>> =
    before === null ? { "if-none-match": "*" } : { "if-match": before.version };
  const path = `records/${encodeURIComponent(key)}`;
  const response =
    after === null
      ? await ask(target, "DELETE", path, unchanged)
      : await ask(target, "PUT", path, unchanged, JSON.stringify({ address: after.address }));
  if (response.ok) return;
  const { name: server } = target.server;
  throw new HostwrightError("HW_RESOURCE_CHANGED", `${key} at ${server} is not as it was read. It was left as it is.`, {
    server,
    data: { key },
  });
}

/** A name at an API without a machine. */
export const dnsRecord: ResourceType<DnsRecord, State> = {
  name: "example-dns-record",
  schema: Spec,
  rank: RANK.account,
  removal: "delete",
  key: ({ name }) => name,
  desired: ({ address }) => ({ address, version: "" }),
  async read(target, keys) {
    if (keys.length === 0) return new Map();
    const all = z.record(z.string(), State).parse(await (await ask(target, "GET", "records")).json());
    return new Map(keys.flatMap((key) => (all[key] === undefined ? [] : [[key, all[key]] as const])));
  },
  identity: ({ address }) => ({ address }),
  async apply(target, changes: readonly Change<State>[]) {
    for (const one of changes) await change(target, one);
  },
  showSpec: ({ address }) => address,
  showState: ({ address }) => address,
};

const record = (name: string, address: string): Declared => ({ type: dnsRecord.name, spec: { name, address } });

/** A kind of service at an API: `hw.servers.put({ name: "dns", connect: api(secret("...")), services: [exampleDns.service({ url })] })`. */
export const exampleDns: ServicePlugin<z.input<typeof Options>> = defineBackingService({
  name: "example-dns",
  contract: CONTRACT,
  kind: { name: "dns", version: 1, title: "name", role: "backing" },
  type: TYPE,
  options: { version: 1, schema: Options },
  packages: () => [],
  facts: () => ({}),
  problems: () => [],
  resourceTypes: [dnsRecord],
  role: {
    protocol: "dns",
    server: ({ service }) =>
      Object.entries((service.options as z.output<typeof Options>).records).map(([name, address]) =>
        record(name, address),
      ),
    site: ({ domain, webHeads }) => [record(domain, webHeads.join(" "))],
    binding: ({ siteId, password }, { service }) => {
      const { host } = new URL((service.options as z.output<typeof Options>).url);
      return { protocol: "dns", host, port: null, socket: null, user: siteId, password };
    },
  },
});
