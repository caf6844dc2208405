import { planCases } from "../testing/cases.ts";
import { nodeLifecycleController } from "./controller.ts";

planCases(nodeLifecycleController(), new URL("./testdata/", import.meta.url));
