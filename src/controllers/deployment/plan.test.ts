import { planCases } from "../testing/cases.ts";
import { deploymentController } from "./controller.ts";

planCases(deploymentController, new URL("./testdata/", import.meta.url));
