import { planCases } from "../testing/cases.ts";
import { rootCaController } from "./controller.ts";

planCases(rootCaController("-----BEGIN CERTIFICATE-----\n…\n"), new URL("./testdata/", import.meta.url));
