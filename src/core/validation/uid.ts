/** Identifiers of objects and requests. */
import type { Clock } from "../time/clock.ts";

/** Version 4, from the clock's chance: under a virtual clock the same run has the same uids. */
export function newUid(clock: Clock): string {
	for (let part = 0; part < 16; part += 4) uid.writeUInt32BE(Math.floor(clock.random() * 2 ** 32), part);
	uid.writeUInt8((uid.readUInt8(6) & 0x0f) | 0x40, 6);
	uid.writeUInt8((uid.readUInt8(8) & 0x3f) | 0x80, 8);
	const hex = uid.toString("hex");
	// Joined, it is one string; of a template it would be a tree of them, in every object.
	return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}

const uid = Buffer.alloc(16);
