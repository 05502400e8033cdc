import { runtimeConformance } from "@hostwright/testing";
import { subject } from "./subject.ts";

runtimeConformance(subject);
