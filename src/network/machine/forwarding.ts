/**
 * Forwarding of packets between the machine's interfaces, without which answers do not find their way back to pods. If
 * the machine does not forward packets, it does so for the interfaces of its default routes while a cluster needs it:
 * files in /run say which clusters do, and outlive them like the setting itself, until the machine starts anew.
 */
import { mkdirSync, readFileSync, readlinkSync, rmdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { messageOf } from "../../core/errors.ts";
import { namesIn } from "../../linux/if-there.ts";

const settings = "/proc/sys/net/ipv4";
/** For this network: a container of the machine may have another one. */
const records = () => `/run/coxswain/forwarding/${readlinkSync("/proc/self/ns/net").replaceAll(/[^0-9]/g, "")}`;

/**
 * @param link of the cluster
 * @returns what does not work or was changed, one sentence each
 */
export function forwardFrom(link: string): string[] {
	writeFileSync(`${settings}/conf/${link}/forwarding`, "1");
	if (isOn(`${settings}/ip_forward`)) return [];
	const notes: string[] = [];
	for (const name of defaultInterfaces()) {
		try {
			const folder = `${records()}/${name}`;
			const setting = `${settings}/conf/${name}/forwarding`;
			if (isOn(setting) && !hasRecords(folder)) continue;
			mkdirSync(folder, { recursive: true });
			writeFileSync(`${folder}/${link}`, "");
			writeFileSync(setting, "1");
			notes.push(
				`for the pods, this machine forwards packets that arrive at ${name} (net.ipv4.conf.${name}.forwarding) until 'cox down'`,
			);
		} catch (error) {
			notes.push(`pods do not reach networks outside the cluster: ${messageOf(error)}`);
		}
	}
	return notes;
}

/** The last cluster that needed it turns it off, unless the machine forwards packets for others by now. */
export function releaseForwarding(link: string): void {
	const present = readFileSync("/proc/self/net/dev", "utf8");
	for (const name of namesIn(records())) {
		const folder = `${records()}/${name}`;
		const before = namesIn(folder);
		for (const other of before)
			if (other === link || !present.includes(`${other}:`)) rmSync(`${folder}/${other}`, { force: true });
		try {
			rmdirSync(folder);
		} catch {
			// Others need it.
			continue;
		}
		const setting = `${settings}/conf/${name}/forwarding`;
		try {
			if (!isOn(`${settings}/ip_forward`)) writeFileSync(setting, "0");
			// A cluster that has started in the meantime.
			if (hasRecords(folder)) writeFileSync(setting, "1");
		} catch {
			// The interface is gone.
		}
	}
	for (const folder of [records(), dirname(records()), dirname(dirname(records()))]) {
		try {
			rmdirSync(folder);
		} catch {
			return;
		}
	}
}

function hasRecords(folder: string): boolean {
	return namesIn(folder).length > 0;
}

function isOn(file: string): boolean {
	return readFileSync(file, "utf8").trim() === "1";
}

/** Interfaces of the default routes, from the kernel's table: name, destination and mask in hexadecimal. */
function defaultInterfaces(): string[] {
	const [, ...lines] = readFileSync("/proc/self/net/route", "utf8").trim().split("\n");
	const routes = lines.map((line) => line.split("\t"));
	return [...new Set(routes.filter(([, to, , , , , , mask]) => to === "00000000" && mask === "00000000"))].flatMap(
		([name]) => name ?? [],
	);
}
