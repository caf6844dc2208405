import { planCases } from "../testing/cases.ts";
import { serviceAccountController } from "./controller.ts";

planCases(serviceAccountController, new URL("./testdata/", import.meta.url));
