import { expect, test } from "vitest";
import { envFileValue } from "./env-file.ts";

const text = `# comment
DB='address'

  SPACED = 'a # b  '
MULTI='line1
line2'
EMPTY=''
DB='later'`;

test.each([
	["DB", "later"],
	["SPACED", "a # b  "],
	["MULTI", "line1\nline2"],
	["EMPTY", ""],
	["NONE", undefined],
	["line2", undefined],
])("%s", (key, value) => {
	expect(envFileValue(text, key)).toBe(value);
});

test.each(["A=b", 'A="b"', "A='b''c'", "A='b'$C", "A='b", "export A='b'", "A"])(
	"%j is refused with its line",
	(line) => {
		expect(() => envFileValue(`X='1'\n${line}\n`, "X")).toThrow(/^line 2: /);
	},
);

test("a long line that is none takes no time", () => {
	expect(() => envFileValue(`${" ".repeat(100_000)}=`, "X")).toThrow(/^line 1: /);
});
