import { batchOfTasks } from "./batch.ts";
import { configureSite } from "./configure-site.ts";
import { removePlatform } from "./delete-platform.ts";
import { removeSite } from "./delete-site.ts";
import { installSite } from "./install-site.ts";
import { siteLoginLink } from "./login-link.ts";
import { planPreview } from "./preview.ts";
import { moveSiteDatabase } from "./move-database.ts";
import { prepareServer } from "./prepare-server.ts";
import { switchServerHttp } from "./switch-http.ts";
import { disableSite, enableSite } from "./switch-site.ts";
import type { AnyTaskType } from "../contracts/task.ts";
import { takeServerOver } from "./take-over.ts";
import { verifyAlias } from "./verify.ts";

export const coreTasks: readonly AnyTaskType[] = [
  installSite,
  verifyAlias,
  enableSite,
  disableSite,
  configureSite,
  removeSite,
  removePlatform,
  prepareServer,
  switchServerHttp,
  takeServerOver,
  moveSiteDatabase,
  siteLoginLink,
  batchOfTasks,
  planPreview,
];
