/**
 * Plans as YAML in → YAML out. A case is one file under `<controller>/testdata/`, named for the behaviour:
 *
 *     name: waits for web-0 to be ready before it creates web-1
 *     now: 2026-01-01T00:00:00Z
 *     key: default/web
 *     state:        # the objects in the informer cache
 *       - apiVersion: apps/v1
 *         …
 *     plan:         # refreshed with UPDATE=1
 *       actions:
 *         - create Pod default/web-1:
 *             spec: …
 *
 * More keys, all optional: `seed` for the plan's randomness, `failure` (what ended the previous plan: do, kind, reason,
 * message), `waited` (seconds for which the key's plans have asked for patience), `memory` (that of the previous plan),
 * `defaults: true` (fills in the defaults of every object's kind). Of an object, `metadata.uid` (`<kind>-<name>-uid`),
 * `resourceVersion`, `creationTimestamp` (an hour before now) and the namespace `default` are filled in when left out.
 *
 * Objects that many cases share are in `bases.yaml` of the same folder, by name. An object with `base: <name>` is that
 * object with its other fields applied as a merge patch: `null` removes a field, a list replaces the whole list.
 *
 * In the expected plan, updates show what changes, as a merge patch on the object in `state`; `null` takes a field
 * away. A plan of a key for which `gather` finds nothing is `nothing`.
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { parse, parseDocument, stringify } from "yaml";
import { deepCopy, type KubeObject } from "../../core/object.ts";
import { applyMergePatch } from "../../core/patches/merge-patch.ts";
import { parseTimestamp, seededRandom, timestamp } from "../../core/time/clock.ts";
import { catalog } from "../../kinds/catalog.ts";
import { apiVersionOf, type Kind } from "../../kinds/engine/kind.ts";
import type { ActionFailure, Controller } from "../runtime/controller.ts";
import { renderPlan } from "./render.ts";
import { staticInformerCache } from "./static-informer-cache.ts";

interface CaseFile {
	name: string;
	now: string;
	key: string;
	seed?: number;
	defaults?: boolean;
	waited?: number;
	memory?: unknown;
	failure?: Omit<ActionFailure, "kind"> & { kind?: string };
	state: BasedObject[];
}

type BasedObject = PartialObject & { base?: string };

type PartialObject = Pick<KubeObject, "apiVersion" | "kind"> & { metadata: Partial<KubeObject["metadata"]> };

/**
 * Declares a test for every case file.
 * @param folder `new URL("./testdata/", import.meta.url)`
 */
export function planCases<State>(controller: Controller<State>, folder: URL): void {
	const root = folder.href.endsWith("/") ? folder : new URL(`${folder.href}/`);
	const bases = new Bases(new URL("bases.yaml", root));
	const files = readdirSync(root)
		.filter((file) => file.endsWith(".yaml") && file !== "bases.yaml")
		.sort();
	describe(`${controller.name} plans`, () => {
		for (const file of files) {
			const text = readFileSync(new URL(file, root), "utf8");
			const document = parseDocument(text);
			// Case files have the form described above; a missing part fails the test.
			const content = document.toJS() as CaseFile & { plan?: unknown };
			const state = content.state.map((object) => bases.resolve(object));
			test(content.name ?? file, () => {
				const plan = runCase(controller, { ...content, state });
				if (process.env["UPDATE"] === "1" && yaml(plan) !== yaml(content.plan)) {
					document.set("plan", document.createNode(plan, { aliasDuplicateObjects: false }));
					writeFileSync(new URL(file, root), document.toString({ lineWidth: 120 }));
					return;
				}
				// Compared as YAML, so that undefined and absent are the same and the difference is easy to read.
				expect(yaml(plan)).toBe(yaml(content.plan));
			});
		}
		if (bases.names.length > 0) test("every base is used", () => expect(bases.unused()).toEqual([]));
	});
}

/** The objects of a folder's `bases.yaml`, if it has one. */
class Bases {
	readonly #objects: Record<string, BasedObject>;
	readonly #used = new Set<string>();

	constructor(file: URL) {
		this.#objects = existsSync(file) ? (parse(readFileSync(file, "utf8")) as Record<string, BasedObject>) : {};
	}

	get names(): string[] {
		return Object.keys(this.#objects);
	}

	/** @returns the object that results from its base, and that base's own, without `base` */
	resolve({ base, ...changes }: BasedObject): PartialObject {
		if (base === undefined) return changes;
		const object = this.#objects[base];
		if (object === undefined) throw new Error(`bases.yaml has no "${base}"`);
		this.#used.add(base);
		// Merging an object patch gives an object.
		return applyMergePatch(this.resolve(object), changes) as PartialObject;
	}

	unused(): string[] {
		return this.names.filter((name) => !this.#used.has(name));
	}
}

function yaml(value: unknown): string {
	return stringify(value ?? "(none yet: run with UPDATE=1 and read the result)", {
		lineWidth: 120,
		aliasDuplicateObjects: false,
	});
}

/** The plan in its YAML form; planned twice from the same state, to check that it is pure. */
function runCase<State>(
	controller: Controller<State>,
	content: Omit<CaseFile, "state"> & { state: PartialObject[] },
): unknown {
	const nowMs = content.now === undefined ? Date.UTC(2026, 0, 1) : parseTimestamp(content.now);
	const objects = content.state.map((object) => completed(object, nowMs, content.defaults ?? false));
	const informers = staticInformerCache(objects, controller);
	const state = controller.gather(content.key, informers);
	if (state === undefined) return "nothing";
	const { kind, ...failure } = content.failure ?? { do: "create", reason: "InternalError", message: "" };
	const once = () =>
		renderPlan(
			controller.plan(state, {
				nowMs,
				random: seededRandom(content.seed ?? 1),
				waitedMs: (content.waited ?? 0) * 1000,
				memory: content.memory,
				...(content.failure === undefined
					? {}
					: {
							failure: {
								...failure,
								...(kind === undefined ? {} : { kind: catalog.find((one) => one.kind === kind) }),
							},
						}),
			}),
			informers,
		);
	const plan = once();
	expect(once()).toEqual(plan);
	return plan;
}

/** The object as stored by a server, as far as plans use it. */
function completed(partial: PartialObject, nowMs: number, withDefaults: boolean): KubeObject {
	const kind = kindOf(partial);
	const { name = "unnamed" } = partial.metadata;
	const object: KubeObject = deepCopy({
		...partial,
		metadata: {
			name,
			uid: `${partial.kind.toLowerCase()}-${name}-uid`,
			resourceVersion: "1",
			creationTimestamp: timestamp(nowMs - 3_600_000),
			...(kind.namespaced ? { namespace: "default" } : {}),
			...partial.metadata,
		},
	});
	if (withDefaults) kind.setDefaults?.(object);
	return object;
}

function kindOf(object: Pick<KubeObject, "apiVersion" | "kind">): Kind {
	const kind = catalog.find((one) => one.kind === object.kind && apiVersionOf(one) === object.apiVersion);
	if (kind === undefined) throw new Error(`the catalog has no ${object.apiVersion} ${object.kind}`);
	return kind;
}
