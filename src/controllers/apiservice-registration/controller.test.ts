import { planCases } from "../testing/cases.ts";
import { apiServiceRegistrationController } from "./controller.ts";

planCases(apiServiceRegistrationController(new Set(["v1.apps"])), new URL("./testdata/", import.meta.url));
