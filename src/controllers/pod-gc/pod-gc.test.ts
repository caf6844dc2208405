import { planCases } from "../testing/cases.ts";
import { podGcController } from "./controller.ts";

planCases(podGcController(2), new URL("./testdata/", import.meta.url));
