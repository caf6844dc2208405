import { expect, test } from "vitest";
import type { Service } from "../../kinds/generated/types.ts";
import { planCases } from "../testing/cases.ts";
import { AddressBook, type Balancer } from "./balancer.ts";
import { serviceLoadBalancerController } from "./controller.ts";

/** As a case's annotations say. */
const balancer: Balancer = {
	state({ metadata: { annotations = {} } }) {
		const { address, problem } = annotations;
		if (address !== undefined) return { address };
		return problem === undefined ? undefined : { problem };
	},
	onChange: () => () => {},
};
planCases(serviceLoadBalancerController(balancer), new URL("./testdata/", import.meta.url));

test("addresses of Services are distinct, kept, and free again when a Service is gone", () => {
	const book = new AddressBook("127.64.0.1");
	const service = (name: string, ip?: string): Service => ({
		apiVersion: "v1",
		kind: "Service",
		metadata: { name, namespace: "default", uid: name, resourceVersion: "1", creationTimestamp: "" },
		spec: { type: "LoadBalancer" },
		...(ip === undefined ? {} : { status: { loadBalancer: { ingress: [{ ip }] } } }),
	});
	const [a, b, c] = [service("a"), service("b", "127.64.0.1"), service("c", "10.0.0.1")];
	const all = [a, b, c];
	expect(all.map((one) => book.addressOf(one, all))).toEqual(["127.64.0.2", "127.64.0.1", "127.64.0.3"]);
	expect(book.addressOf(service("d"), [b, c])).toBe("127.64.0.2");
	expect(book.addressOf(b, [b, c])).toBe("127.64.0.1");
});
