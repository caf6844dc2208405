import { planCases } from "../testing/cases.ts";
import { ttlAfterFinishedController } from "./controller.ts";

planCases(ttlAfterFinishedController, new URL("./testdata/", import.meta.url));
