import { planCases } from "../testing/cases.ts";
import { jobController } from "./controller.ts";
import { jobOrphanController } from "./orphans.ts";

planCases(jobController, new URL("./testdata/", import.meta.url));
planCases(jobOrphanController, new URL("./testdata/orphan/", import.meta.url));
