import { describe, expect, test } from "vitest";
import { seededRandom } from "../time/clock.ts";
import {
	configKeyProblems,
	dnsLabelProblems,
	dnsSubdomainProblems,
	generateName,
	labelValueProblems,
	pathSegmentProblems,
	portNameProblems,
	qualifiedNameProblems,
} from "./names.ts";

describe("names that are fine", () => {
	test.each([
		[dnsLabelProblems, "web-0"],
		[dnsSubdomainProblems, "a.b-c.d0"],
		[labelValueProblems, ""],
		[labelValueProblems, "A_b.c-d"],
		[qualifiedNameProblems, "example.com/My_Name"],
		[configKeyProblems, ".dockerconfigjson"],
		[portNameProblems, "http-alt"],
		[pathSegmentProblems, "system:controller:job"],
	])("%o accepts %j", (check, text) => {
		expect(check(text)).toEqual([]);
	});
});

describe("names that are not", () => {
	test.each([
		[dnsLabelProblems, "Web"],
		[dnsLabelProblems, "web.0"],
		[dnsLabelProblems, "-web"],
		[dnsSubdomainProblems, "a..b"],
		[labelValueProblems, "a b"],
		[qualifiedNameProblems, "a/b/c"],
		[qualifiedNameProblems, "/name"],
		[qualifiedNameProblems, "x/"],
		[configKeyProblems, "a/b"],
		[configKeyProblems, ".."],
		[portNameProblems, "8080"],
		[portNameProblems, "a-very-long-port-name"],
		[pathSegmentProblems, "a/b"],
	])("%o refuses %j", (check, text) => {
		expect(check(text)).not.toEqual([]);
	});

	test("the reason is in the words clients know", () => {
		expect(dnsLabelProblems("Web")).toEqual([
			"a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')",
		]);
		expect(dnsLabelProblems("x".repeat(64))).toEqual(["must be no more than 63 bytes"]);
	});
});

test("generated names keep the prefix, cut to leave room, and add five characters", () => {
	const random = seededRandom(1);
	expect(generateName("web-", random)).toMatch(/^web-[bcdfghjklmnpqrstvwxz2456789]{5}$/);
	expect(generateName("x".repeat(100), random)).toHaveLength(63);
});
