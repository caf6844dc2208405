/** The versions that `cox version` and bug reports name. */
import { type Connection, connect } from "../../cluster/control/connect.ts";
import { control, NotRunning } from "../../cluster/control/control-client.ts";
import type { Layout } from "../../cluster/files/layout.ts";
import { kubernetesVersion, version } from "../../cluster/files/version.ts";

export interface Versions {
	client: { version: string; kubernetes: string; node: string; platform: string };
	/** Null while no cluster is running. */
	server: { version: string; kubernetes: string; gitCommit: string } | null;
}

export async function versions(layout: Layout): Promise<Versions> {
	const client = {
		version,
		kubernetes: kubernetesVersion.gitVersion,
		node: process.versions.node,
		platform: `${process.platform}/${process.arch}`,
	};
	return { client, server: await serverVersion(layout) };
}

async function serverVersion(layout: Layout): Promise<Versions["server"]> {
	try {
		const status = await control(layout, "status");
		await using connection = await connect(layout, "cox");
		const { gitVersion, gitCommit } = await apiVersion(connection);
		return { version: status.version, kubernetes: gitVersion, gitCommit };
	} catch (error) {
		if (error instanceof NotRunning) return null;
		throw error;
	}
}

async function apiVersion({ client }: Connection) {
	// The answer of /version has these fields in every Kubernetes API server.
	return (await client.raw("GET", "/version")) as { gitVersion: string; gitCommit: string };
}
