/** A SOCKS proxy on the machine that leads into the network of a running cluster. */

import { systemClock } from "../../core/time/clock.ts";
import { createMachine } from "../../network/machine.ts";
import { control } from "../control/control-client.ts";
import type { Layout } from "../files/layout.ts";
import { GatewayProcess } from "../gateway/gateway-process.ts";
import { dnsAddress } from "../settings/cluster-network.ts";
import { defaultSettings, readSettings } from "../settings/settings.ts";

export interface Tunnel {
	/** Of 127.0.0.1. */
	port: number;
	/** Resolves when the cluster has ended. */
	ended: Promise<void>;
	close(): Promise<void>;
}

/**
 * @param port of 127.0.0.1; 0: any that is free
 * @throws NotRunning, or Error that says what is in the way
 */
export async function openTunnel(layout: Layout, port: number): Promise<Tunnel> {
	const { runtime } = await control(layout, "status");
	if (runtime !== "process") throw new Error("simulated nodes have no network that a tunnel could lead to");
	const machine = await createMachine({ directory: layout.data, clock: systemClock() });
	let onEnd = () => {};
	const ended = new Promise<void>((resolve) => {
		onEnd = resolve;
	});
	const gateway = new GatewayProcess({ enter: () => machine.enterSwitch(), data: layout.data, onEnd });
	const dns = dnsAddress(readSettings(layout.settings) ?? defaultSettings);
	return { port: await gateway.openTunnel("127.0.0.1", port, dns), ended, close: () => gateway.stop() };
}
