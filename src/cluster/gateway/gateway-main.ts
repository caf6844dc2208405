/**
 * The gateway process of a cluster: passes the machine's ports on to pods. It runs in the network of the switch, from
 * which it reaches every pod, and its ports were opened in the machine's network: a socket stays in the network that it
 * was opened in. So nothing has to be configured on the machine, ordinary users can do the same, and all ports are
 * closed when the process ends, however it ends.
 */
import { Socket as UdpSocket } from "node:dgram";
import { Server } from "node:net";
import { systemClock } from "../../core/time/clock.ts";
import { logError } from "../../linux/process-log.ts";
import { forwardTcp } from "../../proxy/gateway/forward-tcp.ts";
import { forwardUdp } from "../../proxy/gateway/forward-udp.ts";
import { serveSocks } from "../../proxy/gateway/socks.ts";
import { Chooser } from "../../proxy/gateway/target.ts";
import { clusterNames } from "./names.ts";
import type { GatewayOrder } from "./protocol.ts";

const clock = systemClock();
const served = new Map<string, { chooser?: Chooser; close(): void }>();

process.on("message", (order: GatewayOrder, handle: unknown) => {
	const { key } = order;
	if (order.do === "aim") {
		served.get(key)?.chooser?.aim(order.target);
		return;
	}
	served.get(key)?.close();
	served.delete(key);
	if (order.do === "close") return;
	if (order.do === "tunnel") {
		if (handle instanceof Server)
			served.set(key, { close: serveSocks(handle, { clock, resolve: clusterNames(order.dns) }) });
		return;
	}
	const chooser = new Chooser(order.target, clock);
	if (handle instanceof Server) served.set(key, { chooser, close: forwardTcp(handle, chooser) });
	else if (handle instanceof UdpSocket) served.set(key, { chooser, close: forwardUdp(handle, chooser, clock) });
});
process.on("disconnect", () => process.exit(0));
process.on("uncaughtException", (error) => {
	logError("uncaught", error);
	process.exit(1);
});
