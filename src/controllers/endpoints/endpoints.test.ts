import { planCases } from "../testing/cases.ts";
import { endpointsController } from "./controller.ts";

planCases(endpointsController, new URL("./testdata/", import.meta.url));
