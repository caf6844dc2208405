import { planCases } from "../testing/cases.ts";
import { ephemeralVolumes } from "./ephemeral.ts";

planCases(ephemeralVolumes, new URL("./testdata/ephemeral-volume/", import.meta.url));
