import { planCases } from "../testing/cases.ts";
import { endpointSliceMirroringController } from "./controller.ts";

planCases(endpointSliceMirroringController, new URL("./testdata/", import.meta.url));
