import { phpConformance } from "@hostwright/testing";
import { subject } from "./subject.ts";

phpConformance(subject);
