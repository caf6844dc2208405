import { planCases } from "../testing/cases.ts";
import { daemonSetController } from "./controller.ts";

planCases(daemonSetController, new URL("./testdata/", import.meta.url));
