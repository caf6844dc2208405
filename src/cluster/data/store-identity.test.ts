import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type Layout, layoutOf } from "../files/layout.ts";
import { ensureIdentity, readIdentity } from "./store-identity.ts";

let layout: Layout;
beforeEach(() => {
	layout = layoutOf(mkdtempSync(join(tmpdir(), "identity-")));
});
afterEach(() => rmSync(layout.data, { recursive: true, force: true }));

const writeStore = (text: string) => {
	mkdirSync(dirname(layout.storeFile), { recursive: true });
	writeFileSync(layout.storeFile, text);
};

test("an empty directory has had no cluster; what is opened for the first time gets an identity that stays", () => {
	expect(readIdentity(layout)).toBeUndefined();
	writeStore("data");
	const made = ensureIdentity(layout, undefined);
	expect(made.clusterId).toMatch(/^[0-9a-f-]{36}$/);
	expect(readIdentity(layout)).toEqual(made);
	expect(ensureIdentity(layout, made)).toBe(made);
});

test("a store that an earlier version left without an identity is taken", () => {
	writeFileSync(layout.settings, "{}");
	writeStore("data");
	expect(readIdentity(layout)).toBeUndefined();
});

test.each([
	["its identity", () => ensureIdentity(layout, undefined)],
	["its settings", () => writeFileSync(layout.settings, "{}")],
])("a store that is lost or empty where %s tell of one is not taken for a new one", (_, leave) => {
	leave();
	expect(() => readIdentity(layout)).toThrow(
		/data.mdb is missing, though .* had a cluster; put the file back, restore/,
	);
	writeStore("");
	expect(() => readIdentity(layout)).toThrow(/data.mdb is empty, though .* \('cox reset'\)/);
});

test("the data of a newer version are refused, and so is an identity that cannot be read", () => {
	writeStore("data");
	writeFileSync(layout.identity, JSON.stringify({ clusterId: "a", format: 99 }));
	expect(() => readIdentity(layout)).toThrow(/written by a newer version of cox \(format 99/);
	writeFileSync(layout.identity, "{");
	expect(() => readIdentity(layout)).toThrow(/store.json is damaged/);
});
