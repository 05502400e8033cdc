import { plainPlatformConformance } from "@hostwright/testing";
import { subject } from "./subject.ts";

plainPlatformConformance(subject);
