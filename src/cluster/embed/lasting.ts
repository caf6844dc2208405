/** What an embedded cluster has from its start to its end. */
import { generateKeyPairSync } from "node:crypto";
import { VirtualClock } from "../../core/time/virtual-clock.ts";
import { createMemoryStore } from "../../store/memory.ts";
import type { Store } from "../../store/store.ts";
import { holdTimeForWrites } from "../data/held-store.ts";
import type { Timing } from "./time.ts";

/** PEM. Tokens of service accounts stay valid after a rewind. */
export function signingKey(): string {
	const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
	return privateKey.export({ type: "pkcs8", format: "pem" }).toString();
}

export async function openStore(wanted: "memory" | { folder: string }, { clock }: Timing): Promise<Store> {
	if (wanted === "memory") return createMemoryStore();
	const { openLmdbStore } = await import("../../store/lmdb/lmdb.ts");
	const store = openLmdbStore(wanted);
	return clock instanceof VirtualClock ? holdTimeForWrites(store, clock) : store;
}
