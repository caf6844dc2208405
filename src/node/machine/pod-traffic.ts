/** The network traffic of a pod by interface (proc(5), "/proc/net/dev"). */
import { readFile } from "node:fs/promises";

export interface InterfaceTraffic {
	name: string;
	received: Traffic;
	sent: Traffic;
}

export interface Traffic {
	bytes: number;
	packets: number;
	errors: number;
	dropped: number;
}

/**
 * @param networkNamespace `/proc/PID/ns/net`
 * @returns an empty list if that process has ended
 */
export async function readPodTraffic(networkNamespace: string): Promise<readonly InterfaceTraffic[]> {
	const pid = /^\/proc\/(\d+)\/ns\/net$/.exec(networkNamespace)?.[1];
	if (pid === undefined) return [];
	return parseTraffic(await readFile(`/proc/${pid}/net/dev`, "utf8").catch(() => ""));
}

/** Without the loopback interface, as upstream. */
export function parseTraffic(text: string): readonly InterfaceTraffic[] {
	// The first two lines are headings.
	return text
		.split("\n")
		.slice(2)
		.flatMap((line): InterfaceTraffic[] => {
			const cut = line.indexOf(":");
			const name = line.slice(0, cut).trim();
			if (cut < 0 || name === "lo") return [];
			const numbers = line
				.slice(cut + 1)
				.trim()
				.split(/\s+/)
				.map(Number);
			return [{ name, received: traffic(numbers), sent: traffic(numbers.slice(8)) }];
		});
}

function traffic([bytes = 0, packets = 0, errors = 0, dropped = 0]: readonly number[]): Traffic {
	return { bytes, packets, errors, dropped };
}
