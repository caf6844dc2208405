/**
 * What a simulated container does. A pod states it in annotations: `simulate.coxswain.io/WHAT` for all of its
 * containers, `WHAT.simulate.coxswain.io/CONTAINER` for one.
 *
 * | annotation | meaning |
 * |---|---|
 * | `duration: 90s` | exits after this time (`500ms`, `1m30s`, `2h`; a plain number is in seconds) |
 * | `exit-code: "3"` | exits with this code; a list `1,1,0` has one code for each restart, the last for all later ones |
 * | `ready-delay: 5s` | takes this long to start |
 * | `failure-rate: "0.2"` | this share of all runs exits with code 1 (or `exit-code`), the others with 0 |
 * | `cpu: 250m`, `memory: 64Mi` | the usage that it reports; default: none |
 *
 * Without a duration, a container that is expected to end runs for a second, and any other runs until it is stopped.
 */

import { parseQuantity } from "../../core/quantity.ts";
import { durationMs } from "../../core/time/duration.ts";
import { type ContainerConfig, runsToCompletionAnnotation, type Sandbox } from "../runtime.ts";

const prefix = "simulate.coxswain.io";

export interface Script {
	/** Undefined: until it is stopped. */
	durationMs?: number;
	exitCode: number;
	readyDelayMs: number;
	/** 0 to 1. */
	failureRate: number;
	/** Constant usage while the container runs. */
	cores: number;
	memoryBytes: number;
}

/** Ignores values that cannot be parsed. */
export function readScript(sandbox: Sandbox | undefined, config: ContainerConfig): Script {
	const annotations = sandbox?.config.annotations ?? {};
	const read = (what: string) => annotations[`${what}.${prefix}/${config.name}`] ?? annotations[`${prefix}/${what}`];
	const codes = (read("exit-code") ?? "0").split(",").map((code) => Number(code) & 255);
	const endsAfterMs = readDuration(read("duration")) ?? (isMeantToEnd(config) ? 1000 : undefined);
	return {
		exitCode: codes[Math.min(config.attempt, codes.length - 1)] ?? 0,
		readyDelayMs: readDuration(read("ready-delay")) ?? 0,
		failureRate: Number(read("failure-rate") ?? 0) || 0,
		cores: readQuantity(read("cpu")),
		memoryBytes: readQuantity(read("memory")),
		...(endsAfterMs === undefined ? {} : { durationMs: endsAfterMs }),
	};
}

function isMeantToEnd({ annotations }: ContainerConfig): boolean {
	return annotations[runsToCompletionAnnotation] === "true";
}

function readQuantity(text = "0"): number {
	try {
		return parseQuantity(text);
	} catch {
		return 0;
	}
}

function readDuration(text = ""): number | undefined {
	if (/^\d+(\.\d+)?$/.test(text)) return Number(text) * 1000;
	try {
		return durationMs(text);
	} catch {
		return undefined;
	}
}
