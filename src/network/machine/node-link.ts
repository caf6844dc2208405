/** The link of a node to the switch. */
import { cidrSize, formatIPv4, parseCidr } from "../../core/addresses.ts";
import { run } from "../../linux/command.ts";

export const bridge = "switch0";
/** All nodes of a cluster are in one network of this size. */
const nodePrefixBits = 16;

export interface NodeLink {
	/** The command that enters the network of the switch. */
	enterSwitch: readonly [string, ...string[]];
	/** PID 1 of the node. */
	pid: number;
	index: number;
	address: string;
	podCidr: string;
	/** Service addresses that the node serves itself. */
	localAddresses: readonly string[];
	/** Block of Services; undefined: the switch has no route to them. */
	serviceCidr: string | undefined;
	/** Whether the switch leads to networks outside the cluster. */
	leadsOut: boolean;
}

/** The last step, the node's own address, completes the node: without it a later start recreates the node. */
export async function linkNode(link: NodeLink): Promise<void> {
	const { enterSwitch, pid, index, address, podCidr, localAddresses, serviceCidr, leadsOut } = link;
	const port = `n${index}`;
	const gateway = gatewayOf(address);
	const inSwitch = [
		`link add ${port} type veth peer name eth0 netns ${pid}`,
		`link set ${port} master ${bridge} up`,
		`addr replace ${gateway}/${nodePrefixBits} dev ${bridge}`,
		`route replace ${podCidr} via ${address}`,
		...(serviceCidr === undefined ? [] : [serviceRoute(serviceCidr, address)]),
	];
	const forward =
		"cd /proc/sys/net/ipv4; echo 1 >ip_forward; echo 0 >conf/all/rp_filter; echo 0 >conf/default/rp_filter; echo 1 >conf/all/route_localnet";
	const inNode = `${forward}\n${leadsOut ? `ip -batch - && exec ip route replace default via ${gateway}` : "exec ip -batch -"}`;
	// One process enters both, because this one is busy while a cluster starts.
	const script = `ip link del ${port} 2>/dev/null
ip -batch - <<-'END' || exit
${inSwitch.join("\n")}
END
exec nsenter --target=${pid} --net sh -c '${inNode}'`;
	const local = localAddresses.map((own) => `addr add ${own}/32 dev lo\n`).join("");
	await run([...enterSwitch, "sh", "-c", script], {
		// Addresses that no pod has must not go back to the switch.
		input: `link set lo up\n${local}link set eth0 up\nroute replace unreachable ${podCidr}\naddr add ${address}/${nodePrefixBits} dev eth0\n`,
	});
}

/** For \`ip -batch\` in the switch: one node leads to all Services. */
export function serviceRoute(serviceCidr: string, nodeAddress: string): string {
	return `route replace ${serviceCidr} via ${nodeAddress}`;
}

/** The switch's own address, the last one in the network of the nodes. */
function gatewayOf(nodeAddress: string): string {
	const { base, bits } = parseCidr(`${nodeAddress}/${nodePrefixBits}`) ?? { base: 0, bits: nodePrefixBits };
	return formatIPv4(base + cidrSize({ base, bits }) - 2);
}
