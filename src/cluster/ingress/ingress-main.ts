/**
 * The ingress process of a cluster, started by ingress-process.ts. Like the gateway, it runs in the network of the
 * switch, from which it reaches every pod, and listens on sockets of the machine's network. It is apart from the
 * server because it reads what anybody sends.
 */

import { createEventRecorder } from "../../client/events/recorder.ts";
import { createInformerCache } from "../../client/informer.ts";
import { createClient } from "../../client/requests.ts";
import { httpTransport } from "../../client/transports/http.ts";
import { systemClock } from "../../core/time/clock.ts";
import { logError } from "../../linux/process-log.ts";
import { IngressController } from "../../proxy/ingress/controller.ts";
import { createIngressServers, type IngressServers } from "../../proxy/ingress/server.ts";
import type { IngressOrder } from "./protocol.ts";

const clock = systemClock();
let controller: IngressController | undefined;
let servers: IngressServers | undefined;

function start({ apiSocket, token, address, certificates }: Extract<IngressOrder, { do: "start" }>): void {
	const client = createClient(httpTransport({ socketPath: apiSocket, token, clock }), {
		userAgent: "ingress-controller",
		clock,
	});
	const informers = createInformerCache(client, {
		clock,
		onError: (error, what) => logError(`ingress-controller: ${what}`, error),
		withoutManagedFields: true,
	});
	const made = new IngressController({
		informers,
		client,
		events: createEventRecorder(client, { clock }),
		clock,
		address,
		certificates,
		usualCertificate: (certificate) => servers?.https.setSecureContext(certificate ?? {}),
		onError: (error) => logError("ingress-controller", error),
	});
	controller = made;
	servers = createIngressServers(made);
}

async function finish(): Promise<void> {
	await controller?.finish();
	process.exit(0);
}

process.on("message", (order: IngressOrder, handle: unknown) => {
	if (order.do === "start") start(order);
	else if (order.do === "certify") controller?.certify(order.certificates);
	else if (order.do === "listen") servers?.[order.protocol].listen(handle);
	else void finish();
});
process.on("disconnect", () => process.exit(0));
process.on("uncaughtException", (error) => {
	logError("uncaught", error);
	process.exit(1);
});
