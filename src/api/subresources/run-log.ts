/** runs/log: the log of a container of a run: the stored one or, while its pod exists, that of its node. */

import { ApiError } from "../../core/errors.ts";
import type { ApiResponse } from "../../core/exchange.ts";
import { isTrue } from "../../core/selection/query.ts";
import { LineSplitter, type LogOptions, lineRenderer } from "../../core/text/log-lines.ts";
import { parseTimestamp } from "../../core/time/clock.ts";
import type { Pod } from "../../kinds/generated/types.ts";
import type { Run, RunContainer, RunPod } from "../../kinds/history/types.ts";
import { pods } from "../../kinds/pod/pod.ts";
import { dial, forward } from "../backends/agent.ts";
import { existing, methodNotAllowed, named, type Target } from "../resources/target.ts";
import type { Context } from "../server/server.ts";
import { checkOptions, logAnswer } from "./log.ts";

/** One start of a container. */
interface Wanted {
	pod: RunPod;
	container: string;
	attempt: number;
	/** Whether the container was not started again in this pod. */
	isNewest: boolean;
	/** It wrote nothing. */
	isEmpty: boolean;
}

export async function runLog(context: Context, target: Target): Promise<ApiResponse> {
	if (context.info.verb !== "get") throw methodNotAllowed();
	const { query } = context.request;
	checkOptions(query, target.name ?? "");
	// The target is a run.
	const run = existing(named(target)).object as unknown as Run;
	const wanted = choose(run, query);
	const { namespace = "", name } = run.metadata;
	const { pod, container, attempt } = wanted;
	if (wanted.isEmpty) return answer(Buffer.alloc(0));
	const kept = await context.server.options.keptLogs?.read({
		namespace,
		run: name,
		podUid: pod.uid,
		container,
		attempt,
	});
	if (kept !== undefined) return answer(render(kept, optionsOf(query, context.server.clock.now())));
	const live = livePod(context, namespace, pod);
	if (live === undefined)
		throw new ApiError(
			"NotFound",
			`no log of container ${container} (start ${attempt}) of pod ${pod.name} is kept for run ${name}`,
		);
	return liveLog(context, live, wanted);
}

/** @throws ApiError BadRequest, NotFound */
function choose(run: Run, query: URLSearchParams): Wanted {
	const { name } = run.metadata;
	const podName = query.get("pod") ?? "";
	const all = run.status.pods ?? [];
	const among = podName === "" ? all : all.filter((pod) => pod.name === podName || pod.uid === podName);
	const newest = among.at(-1);
	if (newest === undefined)
		throw new ApiError("NotFound", podName === "" ? `run ${name} has no pod` : `run ${name} has no pod ${podName}`);
	const container = containerOf(name, newest, query.get("container") ?? "");
	const starts = among.flatMap((pod) => startsOf(pod, container));
	const asked = query.get("attempt") ?? "";
	if (asked !== "") {
		const found = starts.findLast(({ attempt }) => String(attempt) === asked);
		if (found !== undefined) return found;
		throw new ApiError("BadRequest", `container ${container} of run ${name} has no start ${asked}`);
	}
	const found = starts.at(isTrue(query.get("previous")) ? -2 : -1);
	if (found !== undefined) return found;
	if (starts.length > 0)
		throw new ApiError("BadRequest", `container ${container} of run ${name} was started once: it has no previous log`);
	const at = `container ${container} of pod ${newest.name} of run ${name}`;
	throw new ApiError("BadRequest", `${at} has not been started; 'kubectl describe pod ${newest.name}' may say why`);
}

function startsOf(pod: RunPod, container: string): Wanted[] {
	const attempts = pod.containers?.find(({ name }) => name === container)?.attempts ?? [];
	return attempts.map(({ number, log }, index) => ({
		pod,
		container,
		attempt: number,
		isNewest: index === attempts.length - 1,
		// Of one that was left out there was more.
		isEmpty: log?.bytes === 0 && (log.omittedBytes ?? 0) === 0,
	}));
}

function containerOf(run: string, { containers = [] }: RunPod, wanted: string): string {
	if (wanted !== "") {
		if (containers.some(({ name }) => name === wanted)) return wanted;
		throw new ApiError("BadRequest", `container ${wanted} is not valid for run ${run}`);
	}
	const regular = containers.filter(({ init }) => init !== true);
	const [first, ...others] = regular;
	if (first === undefined) throw new ApiError("BadRequest", `run ${run} has no container yet`);
	if (others.length === 0) return first.name;
	const names = (list: readonly RunContainer[]) => list.map(({ name }) => name).join(" ");
	const init = containers.filter((container) => container.init === true);
	let message = `a container name must be specified for run ${run}, choose one of: [${names(regular)}]`;
	if (init.length > 0) message += ` or one of the init containers: [${names(init)}]`;
	throw new ApiError("BadRequest", message);
}

function optionsOf(query: URLSearchParams, nowMs: number): LogOptions {
	const number = (name: string) => {
		const text = query.get(name);
		return text === null || text === "" ? undefined : Number(text);
	};
	const [tailLines, limitBytes, sinceSeconds] = [number("tailLines"), number("limitBytes"), number("sinceSeconds")];
	const sinceTime = query.get("sinceTime");
	const sinceMs = sinceTime ? parseTimestamp(sinceTime) : sinceSeconds && nowMs - sinceSeconds * 1000;
	const stream = query.get("stream")?.toLowerCase();
	return {
		timestamps: isTrue(query.get("timestamps")),
		follow: false,
		...(tailLines !== undefined && { tailLines }),
		...(limitBytes !== undefined && { limitBytes }),
		...(sinceMs !== undefined && { sinceMs }),
		...((stream === "stdout" || stream === "stderr") && { stream }),
	};
}

function render(log: Buffer, options: LogOptions): Buffer {
	let lines = [...new LineSplitter().push(log)];
	if (options.tailLines !== undefined) lines = lines.slice(Math.max(lines.length - options.tailLines, 0));
	const renderLine = lineRenderer(options);
	return Buffer.concat(lines.flatMap((line) => renderLine(line) ?? [])).subarray(0, options.limitBytes);
}

function answer(text: Buffer): ApiResponse {
	return {
		type: "object",
		status: 200,
		headers: { "content-type": "text/plain" },
		object: text.toString(),
		bytes: () => text,
	};
}

function livePod({ server }: Context, namespace: string, { name, uid }: RunPod): Pod | undefined {
	const found = server.cache.find(pods, namespace, name);
	return found?.metadata.uid === uid ? found : undefined;
}

async function liveLog(context: Context, { metadata, spec }: Pod, wanted: Wanted): Promise<ApiResponse> {
	const query = new URLSearchParams(context.request.query);
	for (const name of ["container", "pod", "attempt", "previous"]) query.delete(name);
	if (!wanted.isNewest) query.set("previous", "true");
	query.set("uid", metadata.uid);
	const node = spec.nodeName ?? "";
	if (node === "") throw new ApiError("BadRequest", `pod ${metadata.name} does not have a host assigned`);
	const connection = await dial(context.server, node);
	const path = [metadata.namespace ?? "", metadata.name, wanted.container].map(encodeURIComponent).join("/");
	return logAnswer(await forward(context, connection, `/containerLogs/${path}?${query}`));
}
