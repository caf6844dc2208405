import { describe } from "vitest";
import { asOrdinaryUser } from "../../linux/testing/ordinary-user.ts";

describe("network contract: linux, rootless", () => {
	asOrdinaryUser(["src/network/linux/network.test.ts", "src/network/machine.test.ts"], {
		env: { COX_TEST_ROOTLESS: "1" },
	});
});
