import { NO_OWN_RULES } from "@hostwright/core/plugin";
import { hostileTexts, orRefused, sampleSites, serverView, serviceOf, siteView } from "@hostwright/testing";
import { expect, test } from "vitest";
import { exampleHttp } from "./http.ts";

const http = serviceOf(exampleHttp, "http");
const view = serverView(http, { port: 8080 });

test("every site listens on the port of the server's options", () => {
  for (const site of sampleSites) {
    const content = http.role.site(site, view).map((entry) => entry.content);
    expect(content.join("\n")).toContain("listen 8080;");
  }
});

test("whatever a realm holds is quoted or refused", async () => {
  for (const realm of hostileTexts()) {
    const site = siteView("blog", { ownRules: { ...NO_OWN_RULES, basicAuth: { realm, users: ["anna"] } } });
    const entries = await orRefused(realm, () => http.role.site(site, view));
    const taken = entries === "refused" ? [] : entries;
    for (const { content } of taken) expect(content).toContain(`realm "${realm.replace(/[\\"]/g, "\\$&")}";`);
  }
});
