import type { AnyTable } from "../../contracts/store/tables.ts";
import { JOURNAL } from "./journal.ts";
import { LEASES } from "./leases.ts";
import { BOOKMARKS, COUNTERS, META } from "./named.ts";
import { PLANS } from "./plans.ts";
import { CLAIMS, RECORDS, RETURNED_NUMBERS, USES } from "./records.ts";
import { REGISTER } from "./register.ts";
import { SECRETS } from "./secrets.ts";
import { COMMITS, TASK_PLANS, TASKS } from "./tasks.ts";

/** Every table of core. A later version may have more of them: a store makes those that it lacks when it is opened. */
export const TABLES: readonly AnyTable[] = [
  JOURNAL,
  LEASES,
  BOOKMARKS,
  COUNTERS,
  META,
  PLANS,
  SECRETS,
  CLAIMS,
  RECORDS,
  RETURNED_NUMBERS,
  USES,
  REGISTER,
  COMMITS,
  TASK_PLANS,
  TASKS,
];
