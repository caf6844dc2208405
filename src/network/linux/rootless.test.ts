import { describe } from "vitest";
import { asOrdinaryUser } from "../../linux/testing/ordinary-user.ts";

describe("network contract: linux, rootless", () => {
	const policies = "src/proxy/policy/enforcement.test.ts";
	asOrdinaryUser(["src/network/linux/network.test.ts", "src/network/machine.test.ts", policies], {
		env: { COX_TEST_ROOTLESS: "1" },
	});
});
