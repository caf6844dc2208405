/** Simulated nodes in a separate process, which uses TLS like agents on other machines. */
import { createInformerCache } from "../../src/client/informer.ts";
import { systemClock } from "../../src/core/time/clock.ts";
import { createSimulatedNetwork } from "../../src/network/simulated.ts";
import { startSimulatedFleet } from "../../src/node/simulated-fleet.ts";
import { createSimulatedRuntime } from "../../src/runtime/simulated/runtime.ts";
import { type Access, connect } from "../kubeconfig.ts";

process.once("message", ({ access, count }: { access: Access; count: number }) => {
	void run(access, count);
});

async function run(access: Access, count: number): Promise<void> {
	// One connection per node, as if each were a process.
	const client = connect(access, "kubelet", count);
	const clock = systemClock();
	const fleet = startSimulatedFleet({
		client: () => client,
		reader: client,
		informers: createInformerCache(client, { clock, withoutManagedFields: true }),
		clock,
		runtime: () => createSimulatedRuntime({ clock }),
		network: ({ addresses: [nodeAddress = ""], podCidr = "" }) => createSimulatedNetwork({ nodeAddress, podCidr }),
	});
	const add = (_: unknown, index: number) =>
		fleet.add({
			name: `bench-${index}`,
			addresses: [`172.31.${index >> 8}.${index & 255}`],
			podCidr: `10.${128 + (index >> 8)}.${index & 255}.0/24`,
			labels: { "bench.coxswain.io/node": "" },
		});
	await Promise.all(Array.from({ length: count }, add));
	process.send?.("ready");
}
