import { planCases } from "../testing/cases.ts";
import { kubectlRunController } from "./controller.ts";

planCases(kubectlRunController, new URL("./testdata/", import.meta.url));
