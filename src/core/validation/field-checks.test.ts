import { expect, test } from "vitest";
import { cidr, ipAddress } from "./field-checks.ts";

const address = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)";
const network = "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)";

test.each([
	["10.9.8.7", undefined],
	["0.0.0.0", undefined],
	["2001:db8::0fff", undefined],
	["010.009.8.007", "must not have leading 0s"],
	["10.9.8.0256", address],
	["10.9.8", address],
	["", address],
])("the IP address %s", (text, problem) => {
	expect(ipAddress(text, "ip").map(({ message }) => message)).toEqual(
		problem === undefined ? [] : [`Invalid value: "${text}": ${problem}`],
	);
});

test.each([
	["10.9.8.0/24", undefined],
	["2001:db8::/64", undefined],
	["10.09.8.0/24", "must not have leading 0s in IP or prefix length"],
	["10.9.8.0/024", "must not have leading 0s in IP or prefix length"],
	["10.9.8.0/33", network],
	["10.9.8.0", network],
])("the network %s", (text, problem) => {
	expect(cidr(text, "cidr").map(({ message }) => message)).toEqual(
		problem === undefined ? [] : [`Invalid value: "${text}": ${problem}`],
	);
});
