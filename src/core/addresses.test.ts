import { describe, expect, it } from "vitest";
import { AddressPool, cidrContains, formatCidr, formatIPv4, parseCidr, parseIPv4, subnet } from "./addresses.ts";

const cidr = (text: string) => {
	const parsed = parseCidr(text);
	if (parsed === undefined) throw new Error(`not a CIDR: ${text}`);
	return parsed;
};

describe("addresses", () => {
	it.each(["0.0.0.0", "10.96.0.1", "172.30.255.254", "255.255.255.255"])("reads and writes %s", (text) => {
		expect(formatIPv4(parseIPv4(text) ?? -1)).toBe(text);
	});

	it.each(["", "1.2.3", "1.2.3.4.5", "256.0.0.1", "01.2.3.4", "a.b.c.d", "1.2.3.-4"])("refuses %j", (text) => {
		expect(parseIPv4(text)).toBeUndefined();
	});

	it("clears host bits of a block and refuses bad prefixes", () => {
		expect(formatCidr(cidr("10.244.3.7/24"))).toBe("10.244.3.0/24");
		expect(formatCidr(cidr("255.255.255.255/0"))).toBe("0.0.0.0/0");
		expect(parseCidr("10.0.0.0/33")).toBeUndefined();
		expect(parseCidr("10.0.0.0")).toBeUndefined();
	});

	it("cuts subnets and knows what lies inside", () => {
		const third = subnet(cidr("10.244.0.0/16"), 24, 3);
		expect(third && formatCidr(third)).toBe("10.244.3.0/24");
		expect(subnet(cidr("10.244.0.0/16"), 24, 256)).toBeUndefined();
		expect(cidrContains(cidr("10.96.0.0/12"), parseIPv4("10.111.255.255") ?? -1)).toBe(true);
		expect(cidrContains(cidr("10.96.0.0/12"), parseIPv4("10.112.0.0") ?? -1)).toBe(false);
	});

	it("hands out every address once, lets a returned one rest, and says when there is none", () => {
		const pool = new AddressPool(cidr("10.0.0.0/29"), { skipFirst: 1, skipLast: 1 });
		expect(pool.take(parseIPv4("10.0.0.2") ?? -1)).toBe(true);
		expect(pool.take(parseIPv4("10.0.0.7") ?? -1)).toBe(false);
		const given = [pool.allocate(), pool.allocate()].map((address) => formatIPv4(address ?? -1));
		expect(given).toEqual(["10.0.0.1", "10.0.0.3"]);
		pool.release(parseIPv4("10.0.0.1") ?? -1);
		const rest = Array.from({ length: 5 }, () => pool.allocate()).map((address) => address && formatIPv4(address));
		expect(rest).toEqual(["10.0.0.4", "10.0.0.5", "10.0.0.6", "10.0.0.1", undefined]);
	});
});
