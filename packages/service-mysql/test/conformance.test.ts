import { databaseConformance } from "@hostwright/testing";
import { subject } from "./subject.ts";

databaseConformance(subject);
