import { planCases } from "../testing/cases.ts";
import { eventTtlController } from "./controller.ts";

planCases(eventTtlController, new URL("./testdata/", import.meta.url));
