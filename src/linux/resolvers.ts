/** The name servers of the machine, which follow its resolv.conf. */
import { type FSWatcher, readFileSync, realpathSync, watch } from "node:fs";
import { isIP } from "node:net";
import { basename, dirname } from "node:path";

export interface Resolvers {
	/** Addresses, in their order. */
	readonly addresses: readonly string[];
	close(): void;
}

/** @param file default: /etc/resolv.conf, or where that leads */
export function followResolvers(file = "/etc/resolv.conf"): Resolvers {
	let addresses = nameservers(file);
	let watchers: FSWatcher[] = [];
	const close = () => {
		for (const watcher of watchers.splice(0)) watcher.close();
	};
	/** Also directories: programs replace the file, or the link to it. And the file: it may be mounted. */
	const follow = () => {
		close();
		const files = [...new Set([file, realFile(file)])];
		watchers = files
			.flatMap((path) => [watchFor(dirname(path), basename(path), changed), watchFor(path, undefined, changed)])
			.flatMap((one) => one ?? []);
	};
	const changed = () => {
		const found = nameservers(file);
		// In the middle of being written; another change follows.
		if (found.length > 0) addresses = found;
		follow();
	};
	follow();
	return {
		get addresses() {
			return addresses;
		},
		close,
	};
}

/**
 * @param name in the directory; undefined: any change
 * @returns undefined where that is not possible: then the last addresses are kept
 */
function watchFor(path: string, name: string | undefined, changed: () => void): FSWatcher | undefined {
	try {
		const watcher = watch(path, { persistent: false }, (_event, found) => {
			if (name === undefined || found === name) changed();
		});
		watcher.on("error", () => watcher.close());
		return watcher;
	} catch {
		return undefined;
	}
}

function realFile(file: string): string {
	try {
		return realpathSync(file);
	} catch {
		return file;
	}
}

function nameservers(file: string): string[] {
	try {
		const text = readFileSync(file, "utf8");
		return [...text.matchAll(/^\s*nameserver\s+(\S+)/gm)]
			.map(([, address = ""]) => address)
			.filter((one) => isIP(one) > 0);
	} catch {
		return [];
	}
}
