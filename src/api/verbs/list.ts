/** LIST, whole or in pages, of now or of a revision (API concepts, "Resource versions", "Retrieving large result sets"). */
import { ApiError } from "../../core/errors.ts";
import type { ApiResponse } from "../../core/exchange.ts";
import type { Cached } from "../cache/cached.ts";
import { keyPrefix } from "../cache/keys.ts";
import { type Selection, selectionOf } from "../fields.ts";
import { presentList } from "../present.ts";
import type { Context } from "../server.ts";
import type { Target } from "../target.ts";
import { freshEnough } from "./get.ts";
import { revisionOf } from "./options.ts";

export async function list(context: Context, target: Target): Promise<ApiResponse> {
	const { query } = context.request;
	const selection = selectionOf(target, query);
	const page = pageOf(query);
	if (page.start === undefined) await freshEnough(context.server, page.exact ?? page.atLeast);
	const revision = page.exact ?? context.server.cache.revision;
	const found = select(target, selection, page, revision);
	return presentList(context, target, found.items, {
		resourceVersion: String(revision),
		...(found.next === undefined ? {} : { continue: continueToken(revision, found.next) }),
		...(found.remaining === undefined || !selection.everything ? {} : { remainingItemCount: found.remaining }),
	});
}

interface Page {
	limit: number;
	/** Serve the state of this revision. */
	exact?: number;
	/** Serve a state that is not older. */
	atLeast?: number;
	/** Where the last page ended: the first key that may be on this one. */
	start?: string;
}

/** @throws ApiError for parameters that contradict each other */
function pageOf(query: URLSearchParams): Page {
	const limitText = query.get("limit") ?? "";
	const limit = /^\d+$/.test(limitText) && Number(limitText) > 0 ? Number(limitText) : Number.POSITIVE_INFINITY;
	const revision = revisionOf(query.get("resourceVersion"));
	const match = query.get("resourceVersionMatch") ?? "";
	const token = query.get("continue") ?? "";
	if (token !== "") {
		if (match !== "")
			throw listInvalid("resourceVersionMatch", "resourceVersionMatch is forbidden when continue is provided");
		if (revision !== undefined && revision !== 0)
			throw new ApiError("BadRequest", "specifying resource version is not allowed when using continue");
		return { limit, ...readToken(token) };
	}
	if (match === "") {
		// An old rule: with a limit, a revision means exactly that one.
		if (revision !== undefined && revision !== 0 && limitText !== "" && limit !== Number.POSITIVE_INFINITY)
			return { limit, exact: revision };
		return { limit, ...(revision === undefined ? {} : { atLeast: revision }) };
	}
	if (revision === undefined)
		throw listInvalid("resourceVersionMatch", "resourceVersionMatch is forbidden unless resourceVersion is provided");
	if (match === "NotOlderThan") return { limit, atLeast: revision };
	if (match !== "Exact")
		throw listInvalid(
			"resourceVersionMatch",
			`Unsupported value: "${match}": supported values: "Exact", "NotOlderThan", ""`,
		);
	if (revision === 0)
		throw listInvalid("resourceVersionMatch", 'resourceVersionMatch "exact" is forbidden for resourceVersion "0"');
	return { limit, exact: revision };
}

interface Found {
	items: Cached[];
	/** First key of the next page. */
	next?: string;
	/** How many objects are left after this page. */
	remaining?: number;
}

/** @throws ApiError Expired when the revision is too long ago */
function select(target: Target, selection: Selection, page: Page, revision: number): Found {
	const { objects, kind, namespace } = target;
	const prefix = keyPrefix(kind, kind.namespaced ? namespace : undefined);
	const from = page.start ?? prefix;
	if (!from.startsWith(prefix))
		throw new ApiError("BadRequest", "continue key is not valid: continue key is not valid for this list");
	let source: Iterable<Cached>;
	try {
		source = page.exact === undefined ? objects.range(prefix, from) : objects.rangeAt(revision, prefix, from);
	} catch (error) {
		if (page.start !== undefined && error instanceof ApiError && error.reason === "Expired") throw continueExpired();
		throw error;
	}
	const items: Cached[] = [];
	let next: string | undefined;
	let remaining = 0;
	for (const cached of source) {
		if (next !== undefined) {
			// Only an unfiltered list says how many are left, so only that one counts on.
			if (!selection.everything) break;
			remaining++;
			continue;
		}
		if (!selection.everything && !selection.matches(cached.object)) continue;
		if (items.length < page.limit) items.push(cached);
		else {
			next = cached.key;
			remaining = 1;
		}
	}
	return next === undefined ? { items } : { items, next, remaining };
}

function continueToken(revision: number, start: string): string {
	return Buffer.from(JSON.stringify({ v: "meta.k8s.io/v1", rv: revision, start })).toString("base64url");
}

function readToken(token: string): { exact: number; start: string } {
	let parsed: { rv?: unknown; start?: unknown } | undefined;
	try {
		parsed = JSON.parse(Buffer.from(token, "base64url").toString());
	} catch {
		parsed = undefined;
	}
	if (typeof parsed?.rv !== "number" || typeof parsed.start !== "string")
		throw new ApiError("BadRequest", "continue key is not valid");
	return { exact: parsed.rv, start: parsed.start };
}

function continueExpired(): ApiError {
	return new ApiError(
		"Expired",
		"The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter.",
	);
}

function listInvalid(field: string, message: string): ApiError {
	return new ApiError("Invalid", `ListOptions.meta.k8s.io "" is invalid: ${field}: Forbidden: ${message}`, {
		group: "meta.k8s.io",
		kind: "ListOptions",
		causes: [{ reason: "FieldValueForbidden", message: `Forbidden: ${message}`, field }],
	});
}
