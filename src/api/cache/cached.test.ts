import { expect, test } from "vitest";
import type { KubeObject } from "../../core/object.ts";
import { Cached, encode, parse } from "./cached.ts";
import { KindCache } from "./kind-cache.ts";

test("a revision's data is encoded as the programs that compare it do, and reads the same", () => {
	const object = (kind: string) =>
		({ apiVersion: "apps/v1", kind, metadata: {}, data: { script: "a && b <c>" } }) as unknown as KubeObject;
	const text = encode(object("ControllerRevision"), { escapesJson: true }).toString();
	expect(text).toContain('"script":"a \\u0026\\u0026 b \\u003cc\\u003e"');
	expect(JSON.parse(text)).toEqual(object("ControllerRevision"));
	expect(encode(object("ConfigMap")).toString()).toContain("a && b <c>");
});

test("an account of fields is encoded with the rest of the object, which is left as it is", () => {
	const managedFields = [{ manager: "a & b", operation: "Update" }];
	const object = { ...event("a"), metadata: { ...event("a").metadata, managedFields } } as KubeObject;
	for (const kind of [undefined, { escapesJson: true as const }]) {
		expect(JSON.parse(encode(object, kind).toString())).toEqual(object);
		expect(object.metadata.managedFields).toBe(managedFields);
		expect(parse("/objects/core/events/default/a", encode(object, kind), 7).object.metadata.managedFields).toEqual(
			managedFields,
		);
	}
	expect(encode(object, { escapesJson: true }).toString()).toContain("a \\u0026 b");
});

const event = (name: string) =>
	({ apiVersion: "v1", kind: "Event", metadata: { name }, reason: "Pulled" }) as unknown as KubeObject;

test("an object of which only the JSON is kept is the same when someone asks", () => {
	const whole = parse("/objects/core/events/default/a", encode(event("a")), 7);
	const { object } = whole;
	const bytes = whole.bytes.toString();
	whole.compact();
	expect(whole.object).toEqual(object);
	expect(whole.object).not.toBe(object);
	expect(whole.object).toBe(whole.object);
	expect(Object.isFrozen(whole.object.metadata)).toBe(true);
	expect(whole.bytes.toString()).toBe(bytes);
	expect(new Cached(whole.key, undefined, 7, whole.value).object).toEqual(object);
});

test("what is rarely read is kept encoded once its change is forgotten", () => {
	for (const rarelyRead of [true, false]) {
		const cache = new KindCache(0, 2, rarelyRead);
		const key = (index: number) => `/objects/core/events/default/${index}`;
		const written = Array.from({ length: 4 }, (_, index) => {
			const cached = parse(key(index), encode(event(`${index}`)), index + 1);
			const { object } = cached;
			cache.apply(index + 1, key(index), cached);
			return object;
		});
		const kept = written.map((object, index) => cache.get(key(index))?.object === object);
		expect(kept).toEqual(rarelyRead ? [false, false, true, true] : [true, true, true, true]);
		expect(written.map((_, index) => cache.get(key(index))?.object)).toEqual(written);
	}
});
