/** WATCH (API concepts, "Efficient detection of changes", "Streaming lists"). */
import { aborted } from "../../core/aborted.ts";
import { asError } from "../../core/errors.ts";
import type { ApiResponse, ServedWatchEvent } from "../../core/exchange.ts";
import type { KubeObject } from "../../core/object.ts";
import { integerOf, isTrue } from "../../core/selection/query.ts";
import { Made } from "../cache/cached.ts";
import { type CacheEvent, SharedEvent } from "../cache/event.ts";
import { keyPrefix } from "../cache/keys.ts";
import { type Selection, selectionOf } from "../resources/fields.ts";
import { watchForm } from "../resources/present.ts";
import type { Target } from "../resources/target.ts";
import type { Context } from "../server/server.ts";
import { protobufType } from "../wire/negotiate.ts";
import { freshEnough } from "./get.ts";
import { InOrder } from "./in-order.ts";
import { checkWatchOptions } from "./list-options.ts";
import { revisionOf } from "./resource-version.ts";

/** The maximum delay of timers. */
const longestTimerMs = 2 ** 31 - 1;

/**
 * Watches from outside end after this long or up to twice as long, as upstream, so that clients are rebalanced.
 */
const leastMinutes = 30;

type Sink = Parameters<Extract<ApiResponse, { type: "watch" }>["start"]>[0];

interface WatchOptions {
	selection: Selection;
	/** Changes after it; undefined: first all existing objects, as ADDED; `now`: only future changes. */
	afterRevision: number | "now" | undefined;
	/** The initial state must be at least this new; undefined: the newest. */
	atLeastRevision: number | undefined;
	bookmarks: boolean;
	/** A bookmark marks the end of the initial state. */
	initialEventsEnd: boolean;
	timeoutMs: number | undefined;
}

export async function watch(context: Context, target: Target): Promise<ApiResponse> {
	const options = watchOptions(context, target);
	const { view, frames } = watchForm(context, target);
	if (typeof options.afterRevision !== "number") await freshEnough(context.server, options.atLeastRevision);
	return {
		type: "watch",
		status: 200,
		headers: { "content-type": frames === undefined ? "application/json" : `${protobufType};stream=watch` },
		frames,
		start: (sink) => run(context, target, options, view, sink),
	};
}

function watchOptions({ request: { query } }: Context, target: Target): WatchOptions {
	checkWatchOptions(query);
	const revision = revisionOf(query.get("resourceVersion"));
	const bookmarks = isTrue(query.get("allowWatchBookmarks"));
	const initial = query.get("sendInitialEvents");
	const sendsInitial = initial === null || initial === "" ? revision === undefined || revision === 0 : isTrue(initial);
	integerOf(query.get("limit"));
	const timeoutSeconds = integerOf(query.get("timeoutSeconds")) ?? 0;
	return {
		selection: selectionOf(target, query, target.name),
		afterRevision: sendsInitial ? undefined : revision || "now",
		// A legacy rule: without sendInitialEvents, revision 0 means the newest state.
		atLeastRevision: initial === null || initial === "" ? undefined : revision,
		bookmarks,
		initialEventsEnd: sendsInitial && bookmarks,
		timeoutMs: timeoutSeconds > 0 ? Math.min(timeoutSeconds * 1000, longestTimerMs) : undefined,
	};
}

/** Synchronous until the watch is registered, so that no change is missed. */
function run(
	context: Context,
	target: Target,
	options: WatchOptions,
	view: (event: ServedWatchEvent) => ServedWatchEvent,
	sink: Sink,
): void {
	const { server, request } = context;
	const { selection } = options;
	const ending = new AbortController();
	const signal = AbortSignal.any([request.signal, ending.signal]);
	if (signal.aborted) return;
	let sentRevision = typeof options.afterRevision === "number" ? options.afterRevision : server.cache.revision;

	const begunAfter = sentRevision;

	const { kind, namespace } = target;
	const show = (event: ServedWatchEvent) => sink.event(view(event));
	const inOrder = kind.custom && new InOrder(target, selection, { send: show, fail: (error) => end(error) });
	const send = inOrder === undefined ? show : (event: ServedWatchEvent) => inOrder.add(event);
	const matches = selection.everything ? always : selection.matches;
	const bookmark = (revision: number, annotations?: Record<string, string>) =>
		send(new SharedEvent("BOOKMARK", bookmarkObject(target, revision, annotations), revision));
	const end = (error?: Error) => {
		if (signal.aborted) return;
		ending.abort(aborted);
		sink.end(error);
	};
	const clock = server.options.wallClock ?? server.clock;
	const timeoutMs = options.timeoutMs ?? (request.peer && leastMinutes * (1 + clock.random()) * 60_000);
	const timer = timeoutMs === undefined ? undefined : clock.after(timeoutMs, () => end());
	signal.addEventListener("abort", () => timer?.cancel(), { once: true });

	if (options.afterRevision === undefined) {
		const all = target.objects.range(keyPrefix(kind, kind.namespaced ? namespace : undefined));
		if (inOrder !== undefined) inOrder.addExisting(all);
		else
			for (const cached of all) {
				if (matches(cached.object)) send(new SharedEvent("ADDED", cached, cached.revision));
				if (signal.aborted) return;
			}
		if (options.initialEventsEnd) bookmark(sentRevision, { "k8s.io/initial-events-end": "true" });
	}
	const watcher = {
		scope: selection.scope,
		change: (event: CacheEvent) => {
			// It may begin with what is yet to come.
			if (event.revision <= begunAfter) return;
			if (selection.namespace !== undefined && !event.key.startsWith(keyPrefix(target.kind, selection.namespace)))
				return;
			if (inOrder !== undefined) {
				sentRevision = event.revision;
				inOrder.addChange(event);
				return;
			}
			const seen = event.seenBy(matches);
			if (seen === undefined) return;
			sentRevision = event.revision;
			send(seen);
		},
		progress: (revision: number) => {
			if (!options.bookmarks || revision <= sentRevision) return;
			sentRevision = revision;
			bookmark(revision);
		},
		end,
	};
	try {
		target.objects.watch(watcher, sentRevision, signal);
	} catch (error) {
		end(asError(error));
	}
}

const always = () => true;

function bookmarkObject({ kind, apiVersion }: Target, revision: number, annotations?: Record<string, string>): Made {
	// A bookmark has nothing but its kind and revision (API concepts, "Watch bookmarks").
	return new Made({
		kind: kind.kind,
		apiVersion,
		metadata: { resourceVersion: String(revision), creationTimestamp: null, ...(annotations && { annotations }) },
	} as unknown as KubeObject);
}
