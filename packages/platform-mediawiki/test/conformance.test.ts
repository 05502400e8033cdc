import { platformConformance } from "@hostwright/testing";
import { subjects } from "./subject.ts";

for (const subject of subjects) platformConformance(subject);
