import { httpConformance } from "@hostwright/testing";
import { subject } from "./subject.ts";

httpConformance(subject);
