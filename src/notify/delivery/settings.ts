/** The administrator's settings for where notifications may be sent. */
import { isIP } from "node:net";
import type { SendRequest } from "../sinks/request.ts";

export interface NotifyOptions {
	/**
	 * Networks and hosts that may be reached in addition to the default: `10.1.0.0/16`, `127.0.0.1`, `hooks.slack.com`,
	 * `*.example.com`. A network also allows private addresses, and plain HTTP to them; a host does not.
	 */
	allow?: readonly string[];
	/** Replaces all sinks: nothing leaves the process. For tests. */
	send?: SendRequest;
}

/** @throws Error that names the entry that is neither a network nor a host */
export function checkAllowed(list: readonly string[]): void {
	for (const item of list) {
		const [address = "", bits, ...more] = item.split("/");
		const version = isIP(address);
		const longest = version === 4 ? 32 : 128;
		const isNetwork =
			version !== 0 && more.length === 0 && (bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= longest));
		const isHost = version === 0 && /^(\*\.)?[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/i.test(item);
		if (!isNetwork && !isHost)
			throw new Error(`'${item}' is neither a network such as 10.1.0.0/16 nor a host such as hooks.example.com`);
	}
}
