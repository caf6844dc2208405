import type { Duplex } from "node:stream";
import type { Pod } from "../../kinds/generated/types.ts";
import type { NodeContext } from "../node-context.ts";

export interface EndpointOptions {
	context: NodeContext;
	pods(): Iterable<Pod>;
	signal: AbortSignal;
}

export function createEndpoint(_options: EndpointOptions): (stream: Duplex) => void {
	return (stream) => stream.destroy();
}
