import { planCases } from "../testing/cases.ts";
import { disruptionController } from "./controller.ts";

planCases(disruptionController, new URL("./testdata/", import.meta.url));
