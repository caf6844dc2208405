/** How many seats a request takes: lists and the beginnings of watches take more the more they have to write. */
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
	if ((query.get("fieldSelector") ?? "").includes("metadata.name=")) return 1;
	const limit = Number(query.get("limit")) || stored.size;
	const bytes = (Math.min(limit, stored.size) * stored.heldBytes) / stored.size;
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
