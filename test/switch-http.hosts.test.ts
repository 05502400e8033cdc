import { disable, switchHttp, verify } from "@hostwright/core";
import { apache } from "@hostwright/service-apache";
import { mysql } from "@hostwright/service-mysql";
import { nginx } from "@hostwright/service-nginx";
import { phpFpm } from "@hostwright/service-php-fpm";
import { afterAll, beforeAll, expect, test } from "vitest";
import { figure } from "./support/figures.ts";
import { watchGap, type Gap } from "./support/gap.ts";
import { FIRST, LivingServer } from "./support/living-server.ts";
import { page } from "./support/page.ts";

const SECOND = "second.example.com";
const CLOSED = "closed.example.com";
const STATIC = "/wp-includes/css/dashicons.min.css";

let living: LivingServer;

beforeAll(async () => {
  living = await LivingServer.start({ plugins: [apache] });
  const { hw } = living;
  await hw.run(living.install(SECOND));
  await hw.run(living.install(CLOSED));
  await hw.run(disable(CLOSED));
  await putBoth();
  await living.remember();
});

afterAll(async () => {
  await living?.[Symbol.asyncDispose]();
});

async function putBoth(): Promise<void> {
  await living.hw.servers.put({
    name: "web1",
    services: [
      nginx.service(),
      apache.service(undefined, "apache"),
      phpFpm.service({ version: "8.4" }),
      mysql.service(),
    ],
  });
}

/** Which web server serves, by the units and by what a visitor sees. */
async function serving(): Promise<Readonly<Record<string, unknown>>> {
  const { host } = living;
  const units = await host.sh(
    "for u in nginx apache2; do echo $u $(systemctl is-active $u) $(systemctl is-enabled $u); done || true",
  );
  const server = await host.sh(`curl -sI -H 'Host: ${FIRST}' http://127.0.0.1${STATIC} | grep -i ^server: || true`);
  const statuses = await Promise.all(
    [FIRST, SECOND, CLOSED].map(async (domain) => (await page(host, domain, "/")).status),
  );
  return { units: units.trim().split("\n"), server: server.trim().split(/[\s/]/)[1], statuses };
}

const NGINX = {
  units: ["nginx active enabled", "apache2 inactive disabled"],
  server: "nginx",
  statuses: [200, 200, 503],
};
const APACHE = {
  units: ["nginx inactive disabled", "apache2 active enabled"],
  server: "Apache",
  statuses: [200, 200, 503],
};

function tell(what: string, gap: Gap): void {
  figure(
    what,
    `${gap.longestMs} ms without an answer, ${gap.answers} answers, ${gap.refused} refused, ${gap.broken} broken`,
  );
}

async function titles(request: Parameters<LivingServer["hw"]["plan"]>[0]): Promise<readonly string[]> {
  return (await living.hw.plan(request)).actions.map((action) => action.title);
}

test("a second http service waits: nothing of it is wanted, and the first one serves", async () => {
  expect(await titles(verify("web1"))).toEqual([]);
  expect(await serving()).toEqual(NGINX);
});

test("the one that serves cannot be put away under its sites", async () => {
  const { hw } = living;
  const rest = [phpFpm.service({ version: "8.4" }), mysql.service()];
  for (const services of [rest, [apache.service(), ...rest]])
    await expect(hw.servers.put({ name: "web1", services })).rejects.toMatchObject({
      code: "HW_RECORD_IN_USE",
      remedy: expect.stringContaining('switchHttp("web1", '),
    });
});

test("all sites go from nginx to Apache, with everything that stays", async () => {
  const { hw, host } = living;
  const plan = await hw.plan(switchHttp("web1", "apache"));
  const [value, gap] = await watchGap(host, FIRST, STATIC, async () => hw.run(plan));
  expect(value).toEqual({ server: "web1", service: "apache", sites: 3 });
  tell("nginx to Apache", gap);
  expect(gap.broken).toBe(0);
  expect(await serving()).toEqual(APACHE);
  expect((await hw.sites.get(FIRST)).bindings.http.service).toBe("apache");
  expect(
    await host.sh(
      "find /etc/hostwright/nginx /etc/nginx/conf.d /etc/systemd/system/nginx.service.d 2>/dev/null || true",
    ),
  ).toBe("/etc/nginx/conf.d\n");
  expect(await titles(switchHttp("web1", "apache"))).toEqual([]);
  expect(await titles(verify("web1"))).toEqual([]);
});

test("and back: the host is as it was", async () => {
  const { hw, host } = living;
  const [value, gap] = await watchGap(host, FIRST, STATIC, async () => hw.run(switchHttp("web1", "http")));
  expect(value).toEqual({ server: "web1", service: "http", sites: 3 });
  tell("Apache to nginx", gap);
  expect(gap.broken).toBe(0);
  expect(await serving()).toEqual(NGINX);
  expect((await hw.sites.get(FIRST)).bindings.http.service).toBe("http");
  expect(await living.differences()).toBe("");
  expect(await titles(verify("web1"))).toEqual([]);
  await living.remember();
});

test("where the new one does not start the former one runs again", async () => {
  const { hw, host } = living;
  const folder = "/etc/systemd/system/apache2.service.d";
  await host.sh(`mkdir -p ${folder}; printf '[Service]\\nExecStartPre=/bin/false\\n' > ${folder}/test.conf`);
  const [error, gap] = await watchGap(host, FIRST, STATIC, async () => hw.run(switchHttp("web1", "apache")));
  await host.sh(
    `rm ${folder}/test.conf; rmdir ${folder} 2>/dev/null; systemctl daemon-reload; systemctl reset-failed apache2`,
  );
  expect(error).toMatchObject({ code: "HW_HTTP_RELOAD_FAILED", data: { state: "undone" } });
  tell("a switch that fails", gap);
  expect(gap.broken).toBe(0);
  expect(await serving()).toEqual(NGINX);
  await living.expectUnharmed();
});

test.each([/takes over/, /at boot/, /look at the page/])("cancelled during %s, nginx serves again", async (title) => {
  const { hw, host } = living;
  const stop = new AbortController();
  const [error, gap] = await watchGap(host, FIRST, STATIC, async () =>
    hw.run(switchHttp("web1", "apache"), {
      signal: stop.signal,
      onEvent: (event) => {
        if (event.type === "action:started" && title.test(event.payload.title)) stop.abort();
      },
    }),
  );
  expect(error).toMatchObject({ code: "HW_CANCELLED", data: { state: "undone" } });
  tell(`cancelled during ${title.source}`, gap);
  expect(await serving()).toEqual(NGINX);
  await living.expectUnharmed();
});
