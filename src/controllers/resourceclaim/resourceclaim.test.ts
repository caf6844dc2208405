import { planCases } from "../testing/cases.ts";
import { resourceClaimController } from "./claims.ts";
import { podClaimsController } from "./pod-claims.ts";

planCases(podClaimsController, new URL("./testdata/pods/", import.meta.url));
planCases(resourceClaimController, new URL("./testdata/claims/", import.meta.url));
