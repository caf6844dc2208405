import { planCases } from "../testing/cases.ts";
import { claimProtection, volumeProtection } from "./protection.ts";

planCases(claimProtection, new URL("./testdata/claim-protection/", import.meta.url));
planCases(volumeProtection, new URL("./testdata/volume-protection/", import.meta.url));
