/**
 * The link between the machine's own network and the switch of a cluster, for root: pods reach the networks that the
 * machine reaches, under its address, and the machine reaches pods and Services by routes. The link, its addresses and
 * routes go with the switch. The table of rules and the forwarding of other interfaces do not: see `removeUplink`.
 */
import { readFileSync } from "node:fs";
import { networkInterfaces } from "node:os";
import { cidrContains, formatIPv4, parseCidr, parseIPv4 } from "../../core/addresses.ts";
import { messageOf } from "../../core/errors.ts";
import { run } from "../../linux/command.ts";
import { forwardFrom, releaseForwarding } from "./forwarding.ts";

export interface Uplink {
	/** Identifies the cluster on the machine: 12 hexadecimal digits. */
	id: string;
	/** A process in the network of the switch. */
	switchPid: number;
	/** Blocks of pods and Services, to which the machine gets routes. */
	ranges: readonly string[];
}

/** Of the links of all clusters. At most 15 characters with the digits. */
const linkPrefix = "cox";
const inSwitch = "up0";
/** Links have blocks of four addresses in it. */
const linkBlocks = { base: parseIPv4("169.254.32.0") ?? 0, count: 64 * 64 };
/** Identifies routes of this network. */
const routeProtocol = 186;

/**
 * Idempotent.
 * @returns what does not work, one sentence each
 * @throws Error if there is no way out
 */
export async function connectUplink({ id, switchPid, ranges }: Uplink): Promise<string[]> {
	const link = linkPrefix + id;
	if (!linksOf("self").includes(` ${link}:`)) await makeLink(link, switchPid, freeBlock(id), ranges);
	const own = addressOf(link);
	const far = formatIPv4((parseIPv4(own) ?? 0) + 1);
	// Others in the machine's networks get no way to pods: only answers are let in.
	const rules = `add table ip ${tableOf(id)}
delete table ip ${tableOf(id)}
table ip ${tableOf(id)} {
	chain postrouting { type nat hook postrouting priority 100; ip saddr ${far} oifname != "${link}" masquerade; }
	chain forward { type filter hook forward priority 0; oifname "${link}" ct state established,related accept; oifname "${link}" drop; }
}
`;
	const firewall = await run(["sh", "-c", "nft -f - || exit\nnft list chain ip filter FORWARD 2>/dev/null || :"], {
		input: rules,
	});
	const blocked = firewall.includes("policy drop")
		? [
				`a firewall of the machine drops forwarded packets, and so those of pods, unless it accepts interfaces ${linkPrefix}*`,
			]
		: [];
	return [...blocked, ...forwardFrom(link), ...(await addRoutes(link, far, ranges))];
}

/** Idempotent; for root. */
export async function removeUplink(id: string): Promise<void> {
	const link = linkPrefix + id;
	const table = tableOf(id);
	const rules = `add table ip ${table}\ndelete table ip ${table}\n`;
	// The link goes with the switch, but not at once.
	const script = `ip link del ${link} 2>/dev/null\nexec nft -f -`;
	await run(["sh", "-c", script], { input: rules }).catch(() => {});
	releaseForwarding(link);
}

function tableOf(id: string): string {
	return `coxswain-${id}`;
}

/**
 * The switch masquerades, too: every cluster has the same addresses inside. So what nobody has in this cluster must not
 * leave it: it may be in another one.
 */
async function makeLink(link: string, switchPid: number, block: number, ranges: readonly string[]): Promise<void> {
	const [own, far] = [formatIPv4(block + 1), formatIPv4(block + 2)];
	const script = `set -e
ip -batch - <<'END'
link add ${link} type veth peer name ${inSwitch} netns ${switchPid}
addr add ${own}/30 dev ${link}
link set ${link} up
END
exec nsenter --target=${switchPid} --net sh -e <<'OUTER'
cd /proc/sys/net/ipv4; echo 1 >ip_forward; echo 0 >conf/all/rp_filter; echo 0 >conf/${inSwitch}/rp_filter
ip -batch - <<'END'
addr add ${far}/30 dev ${inSwitch}
link set ${inSwitch} up
route replace default via ${own}
${ranges.map((range) => `route replace unreachable ${range}`).join("\n")}
END
nft 'table ip coxswain-out { chain postrouting { type nat hook postrouting priority 100; oifname "${inSwitch}" masquerade; }; }'
OUTER`;
	await run(["sh", "-c", script]);
}

/** Derived from the cluster, so that its address stays; the next one if another link has it. */
function freeBlock(id: string): number {
	const taken = Object.values(networkInterfaces()).flatMap((entries = []) => entries.map(({ address }) => address));
	const start = Number.parseInt(id.slice(0, 8), 16) % linkBlocks.count;
	for (let index = 0; index < linkBlocks.count; index++) {
		const block = linkBlocks.base + 4 * ((start + index) % linkBlocks.count);
		const isFree = !taken.some((address) => cidrContains({ base: block, bits: 30 }, parseIPv4(address) ?? 0));
		if (isFree) return block;
	}
	throw new Error("no address is free for the link to the cluster");
}

function addressOf(link: string): string {
	const found = networkInterfaces()[link]?.find(({ family }) => family === "IPv4")?.address;
	if (found === undefined) throw new Error(`${link} has no address`);
	return found;
}

/** Never takes over what the machine reaches elsewhere, for example the pods of another cluster. */
async function addRoutes(link: string, via: string, ranges: readonly string[]): Promise<string[]> {
	const shown = await run(["ip", "-4", "-o", "route", "show"]);
	const problems: string[] = [];
	for (const range of ranges) {
		const other = shown.split("\n").find((line) => overlaps(line.split(" ")[0] ?? "", range));
		if (other?.includes(` dev ${link} `)) continue;
		if (other !== undefined)
			problems.push(
				`the machine does not reach ${range} of this cluster directly: it has a route to ${routeText(other)}; use 'cox tunnel'`,
			);
		else
			await run(["ip", "route", "add", range, "via", via, "dev", link, "proto", String(routeProtocol)]).catch((error) =>
				problems.push(`the machine does not reach ${range} directly: ${messageOf(error)}`),
			);
	}
	return problems;
}

/** `10.244.0.0/16 by cox0123456789ab`, without the details. */
function routeText(line: string): string {
	return line.replace(/^(\S+).*? dev (\S+).*$/, "$1 by $2").trim();
}

function overlaps(destination: string, range: string): boolean {
	const [one, other] = [parseCidr(destination.includes("/") ? destination : `${destination}/32`), parseCidr(range)];
	if (one === undefined || other === undefined) return false;
	return cidrContains(one, other.base) || cidrContains(other, one.base);
}

function linksOf(process: number | "self"): string {
	return readFileSync(`/proc/${process}/net/dev`, "utf8").replaceAll(/\n\s*/g, "\n ");
}
