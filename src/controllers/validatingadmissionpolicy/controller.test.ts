import { catalog } from "../../kinds/catalog.ts";
import { createRegistry } from "../../kinds/engine/registry.ts";
import { planCases } from "../testing/cases.ts";
import { policyStatusController } from "./controller.ts";

planCases(policyStatusController(createRegistry(catalog)), new URL("./testdata/", import.meta.url));
