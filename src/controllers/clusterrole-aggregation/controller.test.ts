import { planCases } from "../testing/cases.ts";
import { clusterRoleAggregationController } from "./controller.ts";

planCases(clusterRoleAggregationController, new URL("./testdata/", import.meta.url));
