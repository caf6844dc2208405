import { Command } from "commander";
import type { Client } from "../../client/client.ts";
import { waitFor } from "../../client/wait.ts";
import { connect } from "../../cluster/control/connect.ts";
import { systemClock } from "../../core/time/clock.ts";
import { testAnnotation } from "../../kinds/notify/annotations.ts";
import { notificationPolicies } from "../../kinds/notify/notificationpolicy.ts";
import type { NotificationTest } from "../../kinds/notify/types.ts";
import { clusterCommand, layoutFrom } from "../options/data-option.ts";
import { say, sayJson } from "../options/output.ts";

/** The time for all attempts and for writing the status. */
const patienceMs = 40_000;

export function notifyCommand(): Command {
	const notify = new Command("notify").description("notifications about workloads");
	notify.addCommand(
		clusterCommand("test", "send a test message to every sink of a policy, and print the results")
			.argument("<policy>", "name of the NotificationPolicy")
			.option("-n, --namespace <namespace>", "the namespace", "default")
			.option("--json", "print JSON")
			.action(async (name: string, options: { data?: string; namespace: string; json?: true }) => {
				await using connection = await connect(layoutFrom(options), "cox");
				const { sinks = [] } = await sendTest(connection.client, { namespace: options.namespace, name });
				if (options.json) sayJson(sinks);
				else for (const { name: sink, error } of sinks) say(`${sink}: ${error ?? "sent"}`);
				const failed = sinks.filter(({ error }) => error !== undefined).length;
				if (failed > 0) throw new Error(`${failed} of ${sinks.length} sinks did not accept the test message`);
			}),
	);
	return notify;
}

async function sendTest(client: Client, ref: { namespace: string; name: string }): Promise<NotificationTest> {
	const id = new Date(systemClock().now()).toISOString();
	const patch = { metadata: { annotations: { [testAnnotation]: id } } };
	await client.patch(notificationPolicies, ref, { type: "merge", patch });
	const policy = await waitFor(
		client,
		notificationPolicies,
		ref,
		(object) => object === undefined || object.status?.lastTest?.id === id,
		{ signal: AbortSignal.timeout(patienceMs) },
	);
	const test = policy?.status?.lastTest;
	if (test === undefined) throw new Error(`notificationpolicy ${ref.name} was deleted`);
	return test;
}
