/**
 * LIST, whole or in pages, now or at a revision (API concepts, "Resource versions", "Retrieving large result sets").
 */
import { ApiError, isReason, messageOf } from "../../core/errors.ts";
import type { ApiResponse } from "../../core/exchange.ts";
import { integerOf } from "../../core/selection/query.ts";
import type { Cached } from "../cache/cached.ts";
import { keyPrefix } from "../cache/keys.ts";
import { pageLimit } from "../request/page-limit.ts";
import { type Selection, selectionOf } from "../resources/fields.ts";
import { servedForms } from "../resources/forms.ts";
import { presentList } from "../resources/present.ts";
import type { Target } from "../resources/target.ts";
import type { Context } from "../server/server.ts";
import { freshEnough } from "./get.ts";
import { checkListOptions } from "./list-options.ts";
import { revisionOf } from "./resource-version.ts";

export async function list(context: Context, target: Target): Promise<ApiResponse> {
	const { query } = context.request;
	const selection = selectionOf(target, query);
	const page = pageOf(query);
	if (page.start === undefined) await freshEnough(context.server, page.exact ?? page.atLeast);
	const revision = page.exact ?? context.server.cache.revision;
	const selecting = select(context, target, selection, page);
	const found = selecting instanceof Promise ? await selecting : selecting;
	const { kind } = target;
	const items = kind.custom === undefined ? found.items : await servedForms(kind, found.items);
	return presentList(context, target, items, {
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
	const limit = pageLimit(integerOf(query.get("limit")) ?? 0, query);
	integerOf(query.get("timeoutSeconds"));
	const version = query.get("resourceVersion") ?? "";
	const match = query.get("resourceVersionMatch") ?? "";
	const token = query.get("continue") ?? "";
	checkListOptions(query);
	if (token !== "") {
		const start = readToken(token);
		if (version !== "" && version !== "0")
			throw new ApiError("BadRequest", "specifying resource version is not allowed when using continue");
		return { limit, ...start };
	}
	const revision = listedRevision(version);
	if (match === "") {
		// An old rule: with a limit, a revision means exactly that one.
		if (revision !== undefined && revision !== 0 && limit !== Number.POSITIVE_INFINITY)
			return { limit, exact: revision };
		return { limit, ...(revision === undefined ? {} : { atLeast: revision }) };
	}
	// There is a revision: that was checked.
	if (match === "NotOlderThan" || revision === undefined) return { limit, atLeast: revision ?? 0 };
	return { limit, exact: revision };
}

/** @throws ApiError BadRequest with the message for lists */
function listedRevision(version: string): number | undefined {
	try {
		return revisionOf(version);
	} catch (error) {
		throw new ApiError("BadRequest", `invalid resource version: ${messageOf(error)}`);
	}
}

interface Found {
	items: Cached[];
	/** First key of the next page. */
	next?: string;
	/** How many objects are left after this page. */
	remaining?: number;
}

/** @throws ApiError Expired if the revision is too old */
function select(context: Context, target: Target, selection: Selection, page: Page): Found | Promise<Found> {
	const { objects, kind, namespace } = target;
	const prefix = keyPrefix(kind, kind.namespaced ? namespace : undefined);
	const from = page.start ?? prefix;
	if (!from.startsWith(prefix)) throw invalidToken("it is of another list");
	const source = page.exact === undefined ? objects.range(prefix, from) : pastOf(context, target, page, prefix, from);
	if (kind.custom === undefined || selection.onlyMetadata) return firstOf(source, selection, page);
	// The fields of each version are its own.
	const all = servedForms(kind, [...source]);
	return all instanceof Promise ? all.then((items) => firstOf(items, selection, page)) : firstOf(all, selection, page);
}

function firstOf(source: Iterable<Cached>, selection: Selection, page: Page): Found {
	const items: Cached[] = [];
	let next: string | undefined;
	let remaining = 0;
	for (const cached of source) {
		if (next !== undefined) {
			// Only an unfiltered list reports the remaining number, so only then are the rest counted.
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

/** The objects as they were at the page's revision. @throws ApiError Expired */
function pastOf({ server }: Context, target: Target, page: Page, prefix: string, from: string): Iterable<Cached> {
	const { exact = 0, start } = page;
	try {
		if (exact >= server.cache.compactedRevision) return target.objects.rangeAt(exact, prefix, from);
	} catch (error) {
		if (!isReason(error, "Expired")) throw error;
	}
	if (start !== undefined) throw continueExpired(start);
	throw new ApiError("Expired", "The resourceVersion for the provided list is too old.");
}

const tokenVersion = "meta.k8s.io/v1";

function continueToken(revision: number, start: string): string {
	return Buffer.from(JSON.stringify({ v: tokenVersion, rv: revision, start })).toString("base64url");
}

/** Instead of a revision: continue from the key in the current state. */
const inconsistent = -1;

function readToken(token: string): { exact?: number; start: string } {
	let parsed: { v?: unknown; rv?: unknown; start?: unknown };
	try {
		parsed = Object(JSON.parse(Buffer.from(token, "base64url").toString()));
	} catch {
		throw invalidToken("it cannot be read");
	}
	const { v: version, rv: revision = 0, start = "" } = parsed;
	if (version !== tokenVersion) throw invalidToken(`server does not recognize this encoded version ${version ?? ""}`);
	if (typeof revision !== "number" || revision === 0)
		throw invalidToken(`incorrect encoded start resourceVersion (version ${tokenVersion})`);
	if (typeof start !== "string" || start === "")
		throw invalidToken(`encoded start key empty (version ${tokenVersion})`);
	return { start, ...(revision < 0 ? {} : { exact: revision }) };
}

function invalidToken(why: string): ApiError {
	return new ApiError("BadRequest", `invalid continue token: continue key is not valid: ${why}`);
}

/**
 * The error has a token for the rest of the current list (API concepts, "Retrieving large results sets in chunks").
 */
function continueExpired(start: string): ApiError {
	return new ApiError(
		"Expired",
		"The provided continue parameter is too old to display a consistent list result. You can start a new list without " +
			"the continue parameter, or use the continue token in this response to retrieve the remainder of the results. " +
			"Continuing with the provided token results in an inconsistent list - objects that were created, modified, or " +
			"deleted between the time the first chunk was returned and now may show up in the list.",
		undefined,
		{ continue: continueToken(inconsistent, start) },
	);
}
