/**
 * Test cases for a pod's plan and status: `testdata/pod/*.yaml`. Each specifies the pod, the runtime's containers and
 * the agent's runtime state, in short forms; `plan` and `status` are the result. UPDATE=1 writes them.
 */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { parse, stringify } from "yaml";
import { deepFreeze } from "../core/object.ts";
import { parseTimestamp, timestamp } from "../core/time/clock.ts";
import type { Pod, PodStatus } from "../kinds/generated/types.ts";
import type { Container, Sandbox } from "../runtime/runtime.ts";
import { planPod } from "./pod/pod-plan.ts";
import type { ContainerRuntimeState, PodState } from "./pod/pod-state.ts";
import { podStatus } from "./pod/pod-status.ts";
import { resourcesAnnotation, resourcesKey } from "./pod/runtime-resources.ts";

interface Case {
	name: string;
	/** Default: one minute after the pod was first seen. */
	now?: string;
	pod: { metadata?: Partial<Pod["metadata"]>; spec: Pod["spec"]; status?: PodStatus };
	gone?: boolean;
	/** Default: one that is ready; attempts are numbered in order. */
	sandboxes?: Sandbox["state"][];
	containers?: {
		name: string;
		state: Container["state"];
		attempt?: number;
		exitCode?: number;
		reason?: string;
		started?: string;
		finished?: string;
		image?: string;
		sandbox?: number;
		/** `limits.cpu=1,…` if the container was created with resources other than those in the spec. */
		resources?: string;
	}[];
	runtimeState?: Record<string, unknown> & { busy?: string[]; containers?: Record<string, ContainerRuntimeState> };
	previous?: PodStatus;
	plan?: unknown;
	status?: unknown;
}

const seen = "2026-01-01T00:00:00Z";
const folder = new URL("./testdata/pod/", import.meta.url);

describe("pod", () => {
	for (const file of readdirSync(folder).sort()) {
		const text = readFileSync(new URL(file, folder), "utf8");
		// The files belong to this test and have this form.
		const given = parse(text) as Case;
		test(given.name, () => {
			const nowMs = parseTimestamp(given.now ?? "2026-01-01T00:01:00Z");
			const state = stateOf(given);
			const { actions, wakeAtMs } = planPod(state, nowMs);
			const plan = { actions, ...(wakeAtMs === undefined ? {} : { wakeAt: timestamp(wakeAtMs) }) };
			const status = short(podStatus(state, nowMs));
			if (process.env["UPDATE"] === "1") {
				const head = text.replace(/^(plan|status):[\s\S]*$/m, "");
				writeFileSync(new URL(file, folder), head + stringify({ plan, status }, { lineWidth: 120 }));
				return;
			}
			expect({ plan, status }).toEqual({ plan: given.plan, status: given.status });
		});
	}
});

function stateOf(given: Case): PodState {
	const { metadata, spec, status } = given.pod;
	const pod: Pod = {
		apiVersion: "v1",
		kind: "Pod",
		metadata: {
			name: "web",
			namespace: "default",
			uid: "u1",
			resourceVersion: "1",
			creationTimestamp: seen,
			...metadata,
		},
		spec: { nodeName: "node-1", restartPolicy: "Always", ...spec },
		...(status === undefined ? {} : { status }),
	};
	const sandboxes = (given.sandboxes ?? ["ready"]).map(
		// The plan reads no other fields of a sandbox's configuration.
		(state, attempt) =>
			({ id: `s${attempt}`, state, createdAtMs: 0, config: { attempt, hostNetwork: false } }) as unknown as Sandbox,
	);
	const all = [...(spec.initContainers ?? []), ...spec.containers, ...(spec.ephemeralContainers ?? [])];
	const containers = (given.containers ?? []).map((each): Container => {
		const { attempt = 0, name } = each;
		const container = all.find((candidate) => candidate.name === name);
		const config = {
			name,
			attempt,
			image: each.image ?? container?.image ?? "",
			annotations: { [resourcesAnnotation]: each.resources ?? resourcesKey(container?.resources) },
		};
		return {
			id: `${name}-${attempt}`,
			sandboxId: `s${each.sandbox ?? sandboxes.length - 1}`,
			// Nor of a container's.
			config: config as unknown as Container["config"],
			imageId: `sha256:${name}`,
			state: each.state,
			createdAtMs: parseTimestamp(each.started ?? seen),
			startedAtMs: parseTimestamp(each.started ?? seen),
			...(each.state === "exited"
				? { exitCode: each.exitCode ?? 0, finishedAtMs: parseTimestamp(each.finished ?? "2026-01-01T00:00:50Z") }
				: {}),
			...(each.reason === undefined ? {} : { reason: each.reason }),
		};
	});
	const { busy = [], containers: remembered = {}, ...runtimeState } = given.runtimeState ?? {};
	return deepFreeze({
		pod,
		gone: given.gone ?? false,
		sandboxes,
		containers,
		runtimeState: {
			observedAtMs: parseTimestamp(seen),
			volumes: { state: "ready" },
			addresses: sandboxes.at(-1)?.state === "ready" ? ["10.244.1.2"] : [],
			released: false,
			statusWritten: false,
			...runtimeState,
			busy: new Set(busy),
			containers: new Map(Object.entries(remembered)),
			terminationMessages: new Map(),
		},
		node: { name: "node-1", addresses: ["10.0.0.1"], runtimeName: "test" },
		...(given.previous === undefined ? {} : { previous: given.previous }),
	});
}

/** The status without fields that are equal in all cases; conditions are one line each. */
function short(status: PodStatus): unknown {
	const {
		conditions = [],
		hostIP: _hostIP,
		hostIPs: _hostIPs,
		startTime: _startTime,
		podIPs: _podIPs,
		...rest
	} = status;
	const lines = conditions.map(({ type, status, reason, message, lastTransitionTime }) =>
		[
			`${type}=${status}`,
			reason,
			message === undefined ? undefined : `(${message})`,
			`since ${lastTransitionTime?.slice(11, 19)}`,
		]
			.filter((part) => part !== undefined)
			.join(" "),
	);
	return JSON.parse(JSON.stringify({ ...rest, conditions: lines }));
}
