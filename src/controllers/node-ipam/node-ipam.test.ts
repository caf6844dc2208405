import { planCases } from "../testing/cases.ts";
import { nodeIpamController } from "./controller.ts";

planCases(nodeIpamController("10.244.0.0/22"), new URL("./testdata/", import.meta.url));
