import { platformConformance } from "@hostwright/testing";
import { subject } from "./subject.ts";

platformConformance(subject);
