import { planCases } from "../testing/cases.ts";
import { statefulSetController } from "./controller.ts";

planCases(statefulSetController, new URL("./testdata/", import.meta.url));
