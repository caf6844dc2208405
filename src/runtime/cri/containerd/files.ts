/** The files of a private containerd: its configuration, and a network plugin that leaves the network to the agent. Pure. */

/** Only the node sees what is mounted here: sockets of shims are always in this directory. */
export const volatileDirectory = "/run/containerd";

export interface ContainerdPaths {
	/** Lasting files. */
	root: string;
	/** The socket of the API. */
	socket: string;
	/** Directories of network plugins, of their configuration, and of the settings of registries. */
	plugins: string;
	networks: string;
	registries: string;
}

export function containerdPaths(directory: string, socket: string): ContainerdPaths {
	return {
		root: `${directory}/root`,
		socket,
		plugins: `${directory}/cni/bin`,
		networks: `${directory}/cni/net.d`,
		registries: `${directory}/registries`,
	};
}

export interface DaemonSettings {
	snapshotter: string;
	pauseImage: string;
	/** Whether processes may be made less likely to be killed than containerd itself. */
	mayLowerOomScore: boolean;
}

/** Configuration of version 2, which containerd 1.5 to 2 read. */
export function configuration(paths: ContainerdPaths, options: DaemonSettings): string {
	const cri = 'plugins."io.containerd.grpc.v1.cri"';
	const lines: [string, Record<string, string | number | boolean>][] = [
		["", { version: 2, root: paths.root, state: `${volatileDirectory}/state` }],
		["grpc", { address: paths.socket }],
		["ttrpc", { address: `${volatileDirectory}/ttrpc.sock` }],
		["debug", { level: "warn" }],
		[
			cri,
			{
				sandbox_image: options.pauseImage,
				stream_server_address: "127.0.0.1",
				stream_server_port: "0",
				restrict_oom_score_adj: !options.mayLowerOomScore,
				netns_mounts_under_state_dir: true,
				enable_unprivileged_ports: true,
				enable_unprivileged_icmp: true,
			},
		],
		[`${cri}.cni`, { bin_dir: paths.plugins, conf_dir: paths.networks }],
		[`${cri}.containerd`, { snapshotter: options.snapshotter, discard_unpacked_layers: true }],
		[`${cri}.containerd.runtimes.runc`, { runtime_type: "io.containerd.runc.v2" }],
		[`${cri}.registry`, { config_path: paths.registries }],
	];
	return lines
		.map(([table, values]) => {
			const settings = Object.entries(values).map(([name, value]) => `${name} = ${JSON.stringify(value)}\n`);
			return (table === "" ? "" : `\n[${table}]\n`) + settings.join("");
		})
		.join("");
}

/** All images come from one server, whatever their registry is. */
export function registryHosts(server: string, token: string): string {
	return `server = "${server}"
[host."${server}"]
  capabilities = ["pull", "resolve"]
  [host."${server}".header]
    ${tokenHeader} = "${token}"
`;
}

export const tokenHeader = "x-coxswain-token";

export const networkConfiguration = JSON.stringify({
	cniVersion: "0.4.0",
	name: "coxswain",
	plugins: [{ type: "coxswain" }],
});

/** Names of plugins that containerd runs: ours, and the one for the loopback interface. */
export const pluginNames = ["coxswain", "loopback"];

/**
 * The agent connects the sandbox when it exists. containerd insists on an address before: the plugin gives one that
 * nothing has, and sets up the loopback interface.
 */
export const networkPlugin = `#!/bin/sh
case $CNI_COMMAND in
ADD)
	nsenter --net="$CNI_NETNS" ip link set lo up || exit
	echo '{"cniVersion":"0.4.0","interfaces":[{"name":"'"$CNI_IFNAME"'","sandbox":"'"$CNI_NETNS"'"}],"ips":[{"version":"4","address":"169.254.0.0/32","interface":0}]}'
	;;
VERSION)
	echo '{"cniVersion":"0.4.0","supportedVersions":["0.3.1","0.4.0","1.0.0"]}'
	;;
esac
`;
