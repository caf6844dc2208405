import { connect } from "../../cluster/control/connect.ts";
import { control } from "../../cluster/control/control-client.ts";
import { launch } from "../../cluster/server/launch.ts";
import { layoutFrom } from "../options/data-option.ts";
import { duration, say } from "../options/output.ts";
import { fact, heading, type Stage } from "./stage.ts";
import { cronJobStep, daemonSetStep, deploymentStep, jobStep, statefulSetStep } from "./steps.ts";

const nodeCount = 3;
/** A tour takes a few seconds; after this time it has failed. */
const limitMs = 120_000;

/** `cox tour`: starts three nodes and runs one workload of each kind on them. */
export async function tour(options: { data?: string }): Promise<void> {
	const startedMs = process.hrtime.bigint();
	const layout = layoutFrom(options);
	heading("Booting a cluster of three nodes");
	const status = await launch(layout, { nodes: nodeCount }, (text) => fact(text));
	for (const node of status.nodes) fact(`${node.name}  Ready  ${node.address}  pods ${node.podCidr}`);
	if (status.readyAfterMs !== undefined) fact(`ready after ${duration(status.readyAfterMs)}`);
	for (const line of new Set(status.nodes.flatMap((node) => node.limitations))) fact(`note: ${line}`);

	await using connection = await connect(layout, "cox-tour");
	const stage: Stage = {
		client: connection.client,
		namespace: "default",
		told: new Map(),
		signal: AbortSignal.timeout(limitMs),
		addNode: async () => (await control(layout, "addNodes", { count: 1 }))[0]?.name ?? "",
	};
	heading("A Job runs to completion");
	await jobStep(stage);
	heading("A CronJob starts Jobs by the clock");
	await cronJobStep(stage);
	heading("A DaemonSet runs on every node");
	await daemonSetStep(stage, status.nodes.length);
	heading("A StatefulSet keeps names and data");
	await statefulSetStep(stage);
	heading("A Deployment waits for what it needs");
	await deploymentStep(stage);

	heading(`Done in ${duration(Number(process.hrtime.bigint() - startedMs) / 1e6)}. The cluster is still running.`);
	say(`\n  export KUBECONFIG=${layout.kubeconfig}\n`);
	say("Three commands to try next:");
	say("  kubectl get pods -o wide");
	say("  kubectl exec -it diary-0 -- sh");
	say("  kubectl scale statefulset diary --replicas=5 && kubectl get pods -l app=diary -w");
	const where = options.data === undefined ? "" : ` --data ${options.data}`;
	say(`(without kubectl on PATH: 'npx coxswain kubectl${where} …' says how to get one)`);
	say(`\nStop it with: npx coxswain down${where}    Forget it, data and all: npx coxswain reset${where}`);
}
