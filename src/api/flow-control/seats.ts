/** How many seats a request takes: lists and the beginnings of watches take more the more they have to write. */
import { pageLimit } from "../request/page-limit.ts";
import type { RequestInfo } from "../request/request-info.ts";

/** What a list may be about: the objects of its resource. */
export interface Stored {
	readonly size: number;
	/** About how much memory all of them take. */
	readonly heldBytes: number;
}

const bytesPerSeat = 100_000;
const mostSeats = 10;
/** How much of a level one request may take, at most. */
const mostOfLevel = 0.15;

/** @param stored undefined for what is not stored here */
export function seatsOf(info: RequestInfo, query: URLSearchParams, stored: Stored | undefined, most: number): number {
	const { verb, resource } = info;
	if (verb !== "list" && !(verb === "watch" && beginsWithAll(query))) return 1;
	if (stored === undefined || stored.size === 0 || resource?.name !== undefined) return 1;
	if (/(^|,)metadata\.name==?[^=,]/.test(query.get("fieldSelector") ?? "")) return 1;
	const bytes = (Math.min(pageLimit(Number(query.get("limit")), query), stored.size) * stored.heldBytes) / stored.size;
	return Math.max(1, Math.min(most, Math.ceil(bytes / bytesPerSeat)));
}

/** @param nominal seats of the level */
export function mostSeatsOf(nominal: number, handSize: number): number {
	return Math.max(1, Math.min(mostSeats, Math.ceil(nominal * mostOfLevel), Math.floor(nominal / handSize)));
}

function beginsWithAll(query: URLSearchParams): boolean {
	const version = query.get("resourceVersion") ?? "";
	return version === "" || version === "0" || query.get("sendInitialEvents") === "true";
}
