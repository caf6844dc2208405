import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { VirtualClock } from "../core/time/virtual-clock.ts";
import { type StoreUnderTest, storeContract } from "./contract.ts";
import { createFaultyStore } from "./faulty.ts";
import { openLmdbStore } from "./lmdb/lmdb.ts";
import { createMemoryStore } from "./memory.ts";

storeContract("memory store", async () => ({ store: createMemoryStore(), remove: async () => {} }));

storeContract("faulty store without faults", async () => ({
	store: createFaultyStore(createMemoryStore(), { faults: {}, clock: new VirtualClock() }),
	remove: async () => {},
}));

storeContract("embedded store", async () => {
	const folder = await mkdtemp(join(tmpdir(), "store-"));
	const under: StoreUnderTest & { reopen(): Promise<StoreUnderTest["store"]> } = {
		store: openLmdbStore({ folder }),
		async reopen() {
			await under.store.close();
			under.store = openLmdbStore({ folder });
			return under.store;
		},
		remove: () => rm(folder, { recursive: true, force: true }),
	};
	return under;
});
