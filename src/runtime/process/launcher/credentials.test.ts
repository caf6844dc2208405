import { expect, it } from "vitest";
import { withoutPasswords } from "./credentials.ts";

it("takes passwords out of a table of accounts and leaves the rest as it is", () => {
	const table = "root:$y$j9T$abc$def:19000:0:99999:7:::\ndaemon:*:1:::::\nlocked:!$6$x:1::\nopen::1::\n";
	expect(withoutPasswords(table)).toBe("root:*:19000:0:99999:7:::\ndaemon:*:1:::::\nlocked:!:1::\nopen::1::\n");
});
