import { planCases } from "../testing/cases.ts";
import { jobController } from "./controller.ts";
import { jobOrphanController } from "./orphans.ts";

planCases(jobController, new URL("../testdata/job/", import.meta.url));
planCases(jobOrphanController, new URL("../testdata/job-orphan/", import.meta.url));
