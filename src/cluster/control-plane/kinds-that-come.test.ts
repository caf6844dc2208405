/** A kind that is added to a running cluster, and removed again, like custom resources. */
import { expect, test } from "vitest";
import { VirtualClock } from "../../core/time/virtual-clock.ts";
import { catalog } from "../../kinds/catalog.ts";
import { configMaps } from "../../kinds/core/configmap.ts";
import { namespaces } from "../../kinds/core/namespace.ts";
import type { DescribedType } from "../../kinds/engine/described-types.ts";
import type { Kind } from "../../kinds/engine/kind.ts";
import { createRegistry } from "../../kinds/engine/registry.ts";
import { resourceQuotas } from "../../kinds/quota/resourcequota.ts";
import { createMemoryStore } from "../../store/memory.ts";
import { defaultNetwork } from "../settings/cluster-network.ts";
import { startControlPlane } from "./control-plane.ts";
import { administrator } from "./identities.ts";

const types: Record<string, DescribedType> = {
	Widget: {
		description: "Widget is for this test.",
		fields: {
			apiVersion: [{ type: "string" }, "The version."],
			kind: [{ type: "string" }, "The kind."],
			metadata: [{ type: "ObjectMeta", default: {} }, "The metadata."],
			spec: [{ type: "WidgetSpec" }, "What it is to be."],
		},
	},
	WidgetSpec: {
		description: "WidgetSpec is what a Widget is to be.",
		fields: {
			sizes: [
				{ type: "WidgetSize", of: "array", mergeKey: "name", patchStrategy: "merge" },
				"How large its parts are.",
			],
		},
	},
	WidgetSize: {
		description: "WidgetSize is how large a part is.",
		fields: { name: [{ type: "string", required: true }, "The part."], size: [{ type: "int32" }, "Its size."] },
	},
};

const widgets: Kind = {
	group: "example.com",
	version: "v1",
	kind: "Widget",
	plural: "widgets",
	singular: "widget",
	shortNames: [],
	categories: [],
	namespaced: true,
	schema: "Widget",
	types,
	subresources: {},
	hasGeneration: false,
	nameRule: "dnsSubdomain",
	selectableFields: [],
	columns: [],
};

test("who concerns themselves with all kinds learns of one that comes, and of one that goes", async () => {
	const [clock, registry] = [new VirtualClock(), createRegistry(catalog)];
	const failures: string[] = [];
	const controlPlane = await startControlPlane({
		store: createMemoryStore(),
		clock,
		registry,
		network: defaultNetwork,
		onError: (what) => failures.push(what),
	});
	const client = controlPlane.client(administrator);
	const raw = async (path: string) => {
		const signal = new AbortController().signal;
		const request = {
			method: "GET",
			path,
			query: new URLSearchParams(),
			headers: {},
			user: administrator,
			signal,
		} as const;
		const response = await controlPlane.api.handle(request);
		return response.type === "object" ? JSON.stringify(response.object ?? response.bytes().toString()) : "";
	};
	const namespace = "shop";
	await client.create(namespaces, { metadata: { name: namespace }, spec: {} });
	const hard = { "count/widgets.example.com": "2" };
	await client.create(resourceQuotas, { metadata: { name: "few", namespace }, spec: { hard } });
	await clock.advance(1000);
	expect(await raw("/apis")).not.toContain("example.com");

	registry.add(widgets);
	await clock.advance(1000);
	expect(await raw("/apis/example.com/v1")).toContain('"name":"widgets"');
	expect(await raw("/openapi/v3/apis/example.com/v1")).toContain("Widget is for this test.");
	const owner = await client.create(configMaps, { metadata: { name: "owner", namespace } });
	const { uid } = owner.metadata;
	const widget = (name: string, ownerReferences: object[] = []) => ({
		metadata: { name, namespace, ownerReferences },
		spec: { sizes: [{ name: "a", size: 1 }], unknown: true },
	});
	const owned = [{ apiVersion: "v1", kind: "ConfigMap", name: "owner", uid }];
	const made = await client.create(widgets, widget("owned", owned) as never);
	expect(made).toMatchObject({ spec: { sizes: [{ name: "a", size: 1 }] } });
	expect(made).not.toHaveProperty("spec.unknown");
	const patch = { spec: { sizes: [{ name: "b", size: 2 }] } };
	const patched = await client.patch(widgets, { namespace, name: "owned" }, { type: "strategic", patch });
	expect(Reflect.get(patched, "spec")).toEqual({
		sizes: [
			{ name: "b", size: 2 },
			{ name: "a", size: 1 },
		],
	});
	await client.create(widgets, widget("free") as never);
	await expect(client.create(widgets, widget("third") as never)).rejects.toThrow("exceeded quota");
	const names = async () => (await client.list(widgets)).items.map(({ metadata }) => metadata.name);
	const used = async () => (await client.get(resourceQuotas, { namespace, name: "few" })).status?.used;

	// Garbage collection, and the usage of the quota.
	await client.delete(configMaps, { namespace, name: "owner" });
	await clock.advance(10_000);
	expect(await names()).toEqual(["free"]);
	expect(await used()).toEqual({ "count/widgets.example.com": "1" });

	// Deleting a namespace deletes its objects.
	await client.delete(namespaces, { name: namespace });
	await clock.advance(10_000);
	expect(await names()).toEqual([]);
	await expect(client.get(namespaces, { name: namespace })).rejects.toThrow("not found");

	registry.remove(widgets);
	await clock.advance(60_000);
	expect(await raw("/apis")).not.toContain("example.com");
	await expect(client.list(widgets)).rejects.toThrow("could not find the requested resource");
	expect(failures).toEqual([]);
	await controlPlane.stop();
});
