import { planCases } from "../testing/cases.ts";
import { taintEvictionController } from "./controller.ts";

planCases(taintEvictionController, new URL("./testdata/", import.meta.url));
