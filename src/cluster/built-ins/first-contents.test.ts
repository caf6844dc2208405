/** The initial objects of a new cluster are those that requests would create. */
import { expect, test } from "vitest";
import { createApi } from "../../api/handle.ts";
import { writeFirstContents } from "../../api/mutate/first-contents.ts";
import { createClient } from "../../client/requests.ts";
import { memoryTransport } from "../../client/transports/memory.ts";
import { VirtualClock } from "../../core/time/virtual-clock.ts";
import { catalog } from "../../kinds/catalog.ts";
import { createRegistry } from "../../kinds/engine/registry.ts";
import { createMemoryStore } from "../../store/memory.ts";
import { apiServer } from "../control-plane/identities.ts";
import { defaultNetwork } from "../settings/cluster-network.ts";
import { builtIns, needsNoAddress } from "./list.ts";
import { makeBuiltIns } from "./make.ts";

const kept = builtIns({
	network: defaultNetwork,
	hasDns: true,
	bindsClaims: true,
	accounts: ["a-controller", "b-controller"],
});

/** All built-in objects, by kind and name, without fields that differ between creations. */
async function made(first: boolean) {
	const clock = new VirtualClock();
	const store = createMemoryStore();
	const contents = { objects: kept.filter(needsNoAddress), requester: apiServer };
	if (first) await writeFirstContents(store, clock, contents);
	const revision = await store.revision();
	// A store with contents is not changed.
	await writeFirstContents(store, clock, { ...contents, objects: first ? contents.objects : [] });
	expect(await store.revision()).toBe(revision);
	const api = await createApi({ store, clock, registry: createRegistry(catalog), serviceCidr: "10.96.0.0/16" });
	const client = createClient(memoryTransport(api.handle, apiServer), { userAgent: "kube-apiserver", clock });
	const failures: unknown[] = [];
	await makeBuiltIns(client, kept, (what, error) => failures.push(what, error));
	expect(failures).toEqual([]);
	const found: Record<string, unknown> = {};
	for (const kind of new Set(kept.map((one) => one.kind)))
		for (const object of (await client.list(kind, {})).items) {
			const { metadata, ...rest } = object;
			const { uid: _uid, resourceVersion: _version, ...facts } = metadata;
			found[`${kind.plural} ${metadata.namespace} ${metadata.name}`] = { ...rest, metadata: facts };
		}
	await api.close();
	return found;
}

test("objects written before the start are those that create makes", async () => {
	const [written, created] = [await made(true), await made(false)];
	expect(Object.keys(written).length).toBeGreaterThanOrEqual(kept.length);
	expect(written).toEqual(created);
});
