/** The user and groups of a container. Pure. */
import type { ContainerConfig } from "../../runtime.ts";
import type { Accounts } from "../launcher/accounts.ts";

export interface Identity {
	user: number;
	group: number;
	/** With `group`. */
	groups: readonly number[];
	home: string;
}

/**
 * The pod's settings come first, then the image's.
 * @param imageUser `USER`, `UID:GROUP`, or empty for root
 * @throws Error if the image has no such user or group
 */
export function identityOf(security: ContainerConfig["security"], accounts: Accounts, imageUser = ""): Identity {
	const [userName = "", groupName = ""] = imageUser.split(":");
	const user = security.runAsUser ?? numberOf(userName, (name) => accounts.named(name)?.user, "user", "passwd");
	const account = accounts.withNumber(user);
	const imageGroup =
		security.runAsUser === undefined && groupName !== ""
			? numberOf(groupName, (name) => accounts.group(name), "group", "group")
			: undefined;
	const group = security.runAsGroup ?? imageGroup ?? account?.group ?? 0;
	const own = security.supplementalGroupsPolicy === "Strict" ? [] : accounts.groupsOf(user);
	const groups = [...new Set([group, ...own, ...security.supplementalGroups])];
	return { user, group, groups, home: account?.home ?? "/" };
}

function numberOf(text: string, find: (name: string) => number | undefined, what: string, file: string): number {
	if (text === "") return 0;
	if (/^\d+$/.test(text)) return Number(text);
	const found = find(text);
	if (found === undefined) throw new Error(`unable to find ${what} ${text}: no matching entries in ${file} file`);
	return found;
}
