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
 * message), `waited` (seconds for which the key's plans have asked for patience), `memory` (that of the
 * previous plan), `defaults: true` (fills in the
 * defaults of every object's kind). Of an object, `metadata.uid` (`<kind>-<name>-uid`), `resourceVersion`,
 * `creationTimestamp` (an hour before now) and the namespace `default` are filled in when left out.
 *
 * In the expected plan, updates show what changes, as a merge patch on the object in `state`; `null` takes a field
 * away. A plan of a key for which `gather` finds nothing is `nothing`.
 */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { parseDocument, stringify } from "yaml";
import { parseTimestamp, seededRandom, timestamp } from "../../core/clock.ts";
import { deepCopy, type KubeObject } from "../../core/object.ts";
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
	state: PartialObject[];
}

type PartialObject = Pick<KubeObject, "apiVersion" | "kind"> & { metadata: Partial<KubeObject["metadata"]> };

/**
 * Declares a test for every case file.
 * @param folder `new URL("./testdata/", import.meta.url)`
 */
export function planCases<State>(controller: Controller<State>, folder: URL): void {
	const base = folder.href.endsWith("/") ? folder : new URL(`${folder.href}/`);
	const files = readdirSync(base)
		.filter((file) => file.endsWith(".yaml"))
		.sort();
	describe(`${controller.name} plans`, () => {
		for (const file of files) {
			const text = readFileSync(new URL(file, base), "utf8");
			const document = parseDocument(text);
			// Case files are written in the form above; what is missing shows as a failing test.
			const content = document.toJS() as CaseFile & { plan?: unknown };
			test(content.name ?? file, () => {
				const plan = runCase(controller, content);
				if (process.env["UPDATE"] === "1" && yaml(plan) !== yaml(content.plan)) {
					document.set("plan", document.createNode(plan, { aliasDuplicateObjects: false }));
					writeFileSync(new URL(file, base), document.toString({ lineWidth: 120 }));
					return;
				}
				// Compared as YAML, so that undefined and absent are the same and the difference is easy to read.
				expect(yaml(plan)).toBe(yaml(content.plan));
			});
		}
	});
}

function yaml(value: unknown): string {
	return stringify(value ?? "(none yet: run with UPDATE=1 and read the result)", {
		lineWidth: 120,
		aliasDuplicateObjects: false,
	});
}

/** The plan as YAML will show it; twice from the same state, to see that it is pure. */
function runCase<State>(controller: Controller<State>, content: CaseFile): unknown {
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

/** The object as a server would have stored it, as far as plans look. */
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
