import { planCases } from "../testing/cases.ts";
import { tokenCleanerController } from "./controller.ts";

planCases(tokenCleanerController, new URL("./testdata/", import.meta.url));
