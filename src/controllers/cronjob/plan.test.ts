import { planCases } from "../testing/cases.ts";
import { cronJobController } from "./controller.ts";

planCases(cronJobController, new URL("./testdata/", import.meta.url));
