import type { Socket } from "node:net";

/**
 * Forwards all data both ways; an error on one side closes the other.
 * @param open the sockets, while they are open
 */
export function joinSockets(one: Socket, other: Socket, open: Set<Socket>): void {
	forward(one, other, open);
	forward(other, one, open);
}

function forward(from: Socket, to: Socket, open: Set<Socket>): void {
	open.add(from);
	from.pipe(to);
	from.on("error", () => to.destroy());
	from.on("close", () => {
		open.delete(from);
		// After an orderly end, data in transit may still arrive.
		if (from.errored !== null || !from.readableEnded) to.destroy();
	});
}
