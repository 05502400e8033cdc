import type { SiteView, WebRules } from "@hostwright/core/plugin";
import { siteView as sample } from "@hostwright/testing";

export { drupalRules, ownRules, wordpressRules } from "@hostwright/testing";

export function siteView(id: string, rules: WebRules, change: Partial<SiteView> = {}): SiteView {
  return sample(id, { rules, ...change });
}
