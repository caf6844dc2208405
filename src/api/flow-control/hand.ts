/**
 * Shuffle sharding: each flow has a few of the queues, which another flow hardly ever shares all with it, so that one
 * flow cannot fill the queues of all others.
 */

/** 32 bits of a text (FNV-1a). */
export function hashOf(text: string): number {
	let hash = 0x811c9dc5;
	for (let index = 0; index < text.length; index++) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
	return hash >>> 0;
}

/**
 * Different numbers below `queues`, always the same ones for a flow.
 * @param size how many; at most `queues`
 */
export function handOf(flow: string, queues: number, size: number): number[] {
	let state = hashOf(flow) || 1;
	const hand: number[] = [];
	for (let dealt = 0; dealt < size; dealt++) {
		// Xorshift: successive numbers have little in common.
		state ^= state << 13;
		state ^= state >>> 17;
		state ^= state << 5;
		let card = (state >>> 0) % (queues - dealt);
		// The card is one of those that are left: each that was dealt and is not above it moves it up.
		for (const lower of [...hand].sort((one, other) => one - other)) if (lower <= card) card++;
		hand.push(card);
	}
	return hand;
}
