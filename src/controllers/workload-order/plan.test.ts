import { planCases } from "../testing/cases.ts";
import { workloadOrderController } from "./controller.ts";

planCases(workloadOrderController, new URL("./testdata/", import.meta.url));
