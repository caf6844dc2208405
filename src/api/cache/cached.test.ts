import { expect, test } from "vitest";
import type { KubeObject } from "../../core/object.ts";
import { encode } from "./cached.ts";

test("a revision's data is encoded as the programs that compare it do, and reads the same", () => {
	const object = (kind: string) =>
		({ apiVersion: "apps/v1", kind, metadata: {}, data: { script: "a && b <c>" } }) as unknown as KubeObject;
	const text = encode(object("ControllerRevision")).toString();
	expect(text).toContain('"script":"a \\u0026\\u0026 b \\u003cc\\u003e"');
	expect(JSON.parse(text)).toEqual(object("ControllerRevision"));
	expect(encode(object("ConfigMap")).toString()).toContain("a && b <c>");
});
