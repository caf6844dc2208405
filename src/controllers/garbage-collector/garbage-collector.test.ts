import { catalog } from "../../kinds/catalog.ts";
import { createRegistry } from "../../kinds/engine/registry.ts";
import { planCases } from "../testing/cases.ts";
import { garbageCollectorController } from "./controller.ts";

planCases(garbageCollectorController(createRegistry(catalog)), new URL("./testdata/", import.meta.url));
