import type { Retention } from "@hostwright/core";

export const retention: Retention = { taskDays: 90, eventDays: 90, secretMinutes: 60, plans: 1_000 };
