import type { Mirror } from "../client/mirror.ts";
import type { Clock } from "../core/clock.ts";
import type { NodeNetwork } from "../network/network.ts";
import type { AgentConfig } from "./agent-protocol.ts";

/** DNS, service addresses, routes and the API's own address, as every node answers them itself. */
export async function startNodeServices(_options: {
	mirror: Mirror;
	network: NodeNetwork;
	clock: Clock;
	config: AgentConfig;
}): Promise<{ close(): Promise<void> }> {
	return { close: async () => {} };
}
