import {
  deleteSite,
  disable,
  enable,
  install,
  isHostwrightError,
  loginLink,
  Secret,
  verify,
  type Hostwright,
} from "@hostwright/core";
import { wordpress } from "@hostwright/platform-wordpress";

/** A site from its installation to its end, each step as a task of its own. */
export async function lifecycle(hw: Hostwright): Promise<void> {
  const site = {
    platform: "wp-6.8",
    title: "Example",
    aliases: ["www.example.com"],
    options: wordpress.site({ locale: "en_US" }),
  };
  const value = await hw.run(install("example.com", site), {
    onEvent: (event) => {
      if (event.type === "action:finished") console.log(event.payload.title, event.payload.ms);
    },
  });
  console.log(value.url, value.loginLink); // http://example.com/ [secret]

  const drift = await hw.plan(verify("@example.com"));
  console.log(drift.empty ? "stands as recorded" : drift.render());
  if (!drift.empty) await hw.run(drift);

  const { loginLink: link } = await hw.run(loginLink("example.com"));
  if (link instanceof Secret) console.log(link.reveal()); // good for 15 minutes, once

  await hw.run(disable("example.com")); // answers 503; files and database stay
  await hw.run(enable("example.com"));
  await hw.run(deleteSite("example.com")); // with its files and its database
}

/** What to do with an error: its code is stable, its remedy says what comes next. */
export async function careful(hw: Hostwright): Promise<void> {
  try {
    await hw.run(install("example.com", { platform: "wp-6.8" }));
  } catch (error) {
    if (!isHostwrightError(error)) throw error;
    console.error(`${error.code}: ${error.message}\n${error.output ?? ""}\nNext: ${error.remedy}`);
    console.error(error.data["state"], error.data["residue"]); // "undone" and [], or what was left, exactly
  }
}
