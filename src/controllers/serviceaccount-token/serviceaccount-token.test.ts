import { planCases } from "../testing/cases.ts";
import { serviceAccountTokenController } from "./controller.ts";

const controller = serviceAccountTokenController("the authority", (account, secret) => {
	return `a token of ${account.metadata.name} for ${secret.metadata.name}`;
});
planCases(controller, new URL("./testdata/", import.meta.url));
