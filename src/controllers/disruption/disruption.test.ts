import { catalog } from "../../kinds/catalog.ts";
import { createRegistry } from "../../kinds/engine/registry.ts";
import { planCases } from "../testing/cases.ts";
import { disruptionController } from "./controller.ts";
import { staleDisruptionController } from "./stale.ts";

planCases(disruptionController(createRegistry(catalog)), new URL("./testdata/", import.meta.url));
planCases(staleDisruptionController, new URL("./testdata/stale/", import.meta.url));
