import { expect, test } from "vitest";
import { formatOf } from "./formats.ts";

test.each<[string, string[], string[]]>([
	["date", ["2024-02-29", "1999-12-31"], ["2023-02-29", "2024-13-01", "2024-1-1", "24-01-01", ""]],
	[
		"date-time",
		["2024-01-15T14:30:45Z", "2024-01-15t14:30:45.123+02:00"],
		["2024-01-15", "2024-01-15T24:00:00Z", "2024-01-15T14:30:45", ""],
	],
	["duration", ["1h30m", "5 minutes", "22 ns", "2w", "1.5h", "0"], ["", "5", "five minutes", "5 parsecs"]],
	[
		"email",
		["a@b.c", "Ada L. <ada@example.com>", '"quoted"@b', "a@[127.0.0.1]"],
		["", "a", "a@", "@b", "a@b@c", "a b@c", "a..b@c"],
	],
	["ipv4", ["10.0.0.1", "010.000.000.001", "::ffff:10.0.0.1"], ["10.0.0", "10.0.0.256", "::1", "10.0.0.1 "]],
	["ipv6", ["::1", "2001:db8::1"], ["10.0.0.1", "::1::", "12345::"]],
	["cidr", ["10.0.0.0/8", "2001:db8::/64"], ["10.0.0.0", "10.0.0.0/33", "10.0.0.0/", "/8"]],
	[
		"uri",
		["http://example.com/a?b=c", "/path", "urn:x:y", "*", "http://[::1]:80/", "http://u:p@h/"],
		["", "path", "http://a b/", "http://h:port/", ":x", "/%zz", "http://h/\u0001"],
	],
	[
		"uuid",
		["123e4567-e89b-12d3-a456-426614174000", "123E4567E89B12D3A456426614174000"],
		["", "123e4567-e89b-12d3-a456-42661417400"],
	],
	["uuid4", ["123e4567-e89b-42d3-a456-426614174000"], ["123e4567-e89b-12d3-a456-426614174000"]],
	[
		"hostname",
		["example.com", "localhost", "a-b.example.org", "a-host"],
		["", "-a.com", "a_b.com", "a.c", `${"a".repeat(64)}.com`, "my-host-name"],
	],
	[
		"mac",
		["01:23:45:67:89:ab", "01-23-45-67-89-ab", "0123.4567.89ab"],
		["01:23:45:67:89", "01:23-45:67:89:ab", "0123.4567"],
	],
	["byte", ["YWJj", "YQ=="], ["", "YQ", "Y Q=", "!!!!"]],
	["hexcolor", ["#fff", "FFFFFF"], ["#ffff", "red"]],
	["rgbcolor", ["rgb(0,10,255)", "rgb( 1 , 2 , 3 )"], ["rgb(0,0,256)", "rgb(01,2,3)", "0,0,0"]],
	["isbn", ["0321751043", "978-0321751041"], ["0321751044", "978-0321751042"]],
	["creditcard", ["4111 1111 1111 1111"], ["4111111111111112", "1"]],
	["ssn", ["111-22-3333", "111 22 3333"], ["111223333", "11-22-3333"]],
	["bsonobjectid", ["507f1f77bcf86cd799439011"], ["507f1f77bcf86cd79943901"]],
	["password", ["", "anything"], []],
	["k8s-short-name", ["a-1"], ["A", "-a", "a.b"]],
	["k8s-long-name", ["a.b-c"], ["a..b", "A.b"]],
])("%s", (name, right, wrong) => {
	const matches = formatOf(name);
	for (const text of right) expect(matches?.(text), text).toBe(true);
	for (const text of wrong) expect(matches?.(text), text).toBe(false);
});

test("other formats are not checked", () => {
	expect(formatOf("int-or-string")).toBeUndefined();
	expect(formatOf("")).toBeUndefined();
});

test("texts of megabytes are refused as fast as short ones", () => {
	const beginnings = ["a", "1", "-", ".", "a.", "1h", "a@", '"', "rgb(", "2024-01-01T", "http://", "0.", "=", " "];
	for (const beginning of beginnings) {
		const text = beginning.repeat(200_000);
		for (const name of [
			"email",
			"hostname",
			"duration",
			"uri",
			"creditcard",
			"isbn",
			"date-time",
			"byte",
			"mac",
			"cidr",
		])
			expect(typeof formatOf(name)?.(text)).toBe("boolean");
	}
});
