import { planCases } from "../testing/cases.ts";
import { deviceTaintEvictionController } from "./controller.ts";

planCases(deviceTaintEvictionController, new URL("./testdata/", import.meta.url));
