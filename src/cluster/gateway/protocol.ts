/**
 * The protocol of the server process and the gateway process: messages over Node's IPC. A lost channel ends the gateway.
 */
import type { Target } from "../../proxy/gateway/target.ts";

export type GatewayOrder =
	/** With a listening server or a bound UDP socket, which this process opened in the machine's network. */
	| { do: "serve"; key: string; protocol: "TCP" | "UDP"; target: Target }
	/** With a listening server: a SOCKS proxy, which asks this DNS server. */
	| { do: "tunnel"; key: string; dns: string }
	| { do: "aim"; key: string; target: Target }
	| { do: "close"; key: string };
