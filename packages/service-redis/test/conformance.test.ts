import { cacheConformance } from "@hostwright/testing";
import { subject } from "./subject.ts";

cacheConformance(subject);
