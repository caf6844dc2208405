import { planCases } from "../testing/cases.ts";
import { endpointSliceController } from "./controller.ts";

planCases(endpointSliceController, new URL("./testdata/", import.meta.url));
