import { catalog } from "../../kinds/catalog.ts";
import { createRegistry } from "../../kinds/engine/registry.ts";
import { planCases } from "../testing/cases.ts";
import { namespaceController } from "./controller.ts";

planCases(namespaceController(createRegistry(catalog)), new URL("./testdata/", import.meta.url));
