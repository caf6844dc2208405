import { type NodeFixture, networkContract } from "./contract.ts";
import { createSimulatedNetwork } from "./simulated.ts";

networkContract("simulated", {
	noTraffic: "simulated pods are not connected",
	async open() {
		const node = (index: number): NodeFixture => {
			const address = `172.30.0.${index}`;
			const podCidr = `10.244.${index}.0/24`;
			const network = createSimulatedNetwork({ nodeAddress: address, podCidr });
			const none = () => Promise.reject(new Error("no traffic"));
			return {
				address,
				podCidr,
				network,
				reopen: async () => network,
				makePod: async () => "simulated",
				serve: none,
				ask: none,
			};
		};
		return { nodes: [node(1), node(2)], dispose: async () => {} };
	},
});
