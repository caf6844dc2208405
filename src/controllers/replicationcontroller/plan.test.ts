import { planCases } from "../testing/cases.ts";
import { replicationControllerController } from "./controller.ts";

planCases(replicationControllerController, new URL("./testdata/", import.meta.url));
