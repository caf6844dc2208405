import { planCases } from "../testing/cases.ts";
import { replicaSetController } from "./controller.ts";

planCases(replicaSetController, new URL("./testdata/", import.meta.url));
