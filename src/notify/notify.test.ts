/**
 * Notifications from the perspective of users, on a whole cluster in memory and in virtual time: requests arrive in
 * this process.
 */
import { createHmac } from "node:crypto";
import { expect, test } from "vitest";
import { type Cluster, startCluster } from "../cluster/embed/embed.ts";
import { statefulSets } from "../kinds/apps/statefulset.ts";
import { cronJobs } from "../kinds/batch/cronjob.ts";
import { jobs } from "../kinds/batch/job.ts";
import { events } from "../kinds/core/event.ts";
import { notificationPolicies } from "../kinds/notify/notificationpolicy.ts";
import type { NotificationPolicy, NotificationPolicySpec } from "../kinds/notify/types.ts";
import type { OutgoingRequest } from "./sinks/request.ts";

const secret = (name: string, data: Record<string, string>) => ({
	apiVersion: "v1",
	kind: "Secret",
	metadata: { name, namespace: "default" },
	stringData: data,
});

const hooks = secret("hooks", {
	slack: "https://hooks.slack.com/services/T0/B0/xyz",
	chat: "https://chat.googleapis.com/v1/spaces/A/messages?key=k&token=t",
	teams: "https://prod-1.westeurope.logic.azure.com/workflows/w?sig=s",
	url: "https://events.example.com/in?token=t",
	key: "s3cret",
	smtp: "smtps://user:pass@mail.example.com:465",
	nonsense: "hunter2",
});

const from = (key: string) => ({ urlFrom: { secretKeyRef: { name: "hooks", key } } });
const webhook = { name: "events", webhook: from("url") };

const policy = (name: string, spec: Partial<NotificationPolicySpec>) => ({
	apiVersion: "notify.coxswain.io/v1",
	kind: "NotificationPolicy",
	metadata: { name, namespace: "default" },
	spec: { events: ["Failed"], sinks: [webhook], ...spec },
});

const job = (name: string, annotations: Record<string, string> = {}, metadata: object = {}) => ({
	apiVersion: "batch/v1",
	kind: "Job",
	metadata: { name, namespace: "default", ...metadata },
	spec: {
		backoffLimit: 0,
		template: {
			metadata: { annotations },
			spec: { restartPolicy: "Never", containers: [{ name: "main", image: "busybox" }] },
		},
	},
});

const fails = { "simulate.coxswain.io/exit-code": "3" };

interface Told {
	id: string;
	type: string;
	subject: string;
	data: Record<string, unknown> & { title: string; log: string[] };
}

/** Collects what is sent; `answers` are the next responses, followed by 200. */
function inbox() {
	const requests: OutgoingRequest[] = [];
	const answers: number[] = [];
	const told = (): Told[] => requests.filter(({ sink }) => sink === "webhook").map(({ body }) => JSON.parse(body));
	return {
		requests,
		answers,
		told,
		titles: () => told().map(({ data }) => data.title),
		send(request: OutgoingRequest) {
			requests.push(request);
			return answers.shift() ?? 200;
		},
	};
}

const policyNow = (cluster: Cluster, name: string): Promise<NotificationPolicy> =>
	cluster.client.get(notificationPolicies, { namespace: "default", name });

const conditionText = ({ status }: NotificationPolicy, type: string) => {
	const found = status?.conditions?.find((one) => one.type === type);
	return found && `${found.status} ${found.reason} ${found.message ?? ""}`.trim();
};

test("every kind of sink is told how a job ended, with the end of its log and the command that shows more", async () => {
	const box = inbox();
	await using cluster = await startCluster({ clock: "virtual", notify: { send: box.send } });
	const sinks = [
		{ name: "slack", slack: from("slack") },
		{ name: "chat", googleChat: from("chat") },
		{ name: "teams", teams: from("teams") },
		{ name: "events", webhook: { ...from("url"), keyFrom: { secretKeyRef: { name: "hooks", key: "key" } } } },
		{
			name: "mail",
			email: {
				serverFrom: { secretKeyRef: { name: "hooks", key: "smtp" } },
				from: "cox@example.com",
				to: ["ops@example.com"],
			},
		},
	];
	await cluster.apply(hooks);
	await cluster.apply(policy("all", { events: ["Failed", "Succeeded"], sinks }));
	await cluster.apply(job("backup", fails));
	await cluster.waitFor(jobs, "backup", "Failed");
	await cluster.clock.advance("1m");

	const bySink = new Map(box.requests.map((request) => [request.sink, request]));
	expect(box.requests).toHaveLength(5);
	const title = /Job backup failed after \d+s/;
	const slack = JSON.parse(bySink.get("slack")?.body ?? "");
	expect(slack.text).toMatch(title);
	expect(slack.text).toContain("Exit code: 3");
	expect(slack.text).toContain("```main started");
	expect(slack.text).toMatch(/`cox logs --run backup-\w+ -n default`$/);
	const chat = bySink.get("googleChat");
	expect(new URL(chat?.url ?? "").searchParams.get("messageReplyOption")).toBe("REPLY_MESSAGE_FALLBACK_TO_NEW_THREAD");
	expect(JSON.parse(chat?.body ?? "")).toMatchObject({
		text: expect.stringMatching(title),
		thread: { threadKey: expect.stringMatching(/^default\/backup-/) },
	});
	const card = JSON.parse(bySink.get("teams")?.body ?? "").attachments[0];
	expect(card.contentType).toBe("application/vnd.microsoft.card.adaptive");
	expect(card.content.body[0].text).toMatch(title);
	const mail = bySink.get("email");
	expect(mail).toMatchObject({ url: "smtps://mail.example.com:465", headers: { to: "ops@example.com" } });
	expect(mail?.headers["subject"]).toMatch(title);
	expect(mail?.body).toContain("main ended with exit code 3");
	const event = box.told()[0];
	expect(event).toMatchObject({
		specversion: "1.0",
		type: "io.coxswain.job.failed",
		source: "/apis/batch/v1/namespaces/default/jobs/backup",
		data: { result: "Failed", reason: "BackoffLimitExceeded", exitCode: 3, attempts: 1, node: "node-1" },
	});
	expect(event?.data.log.at(-1)).toBe("main ended with exit code 3");
	const signed = bySink.get("webhook");
	const at = signed?.headers["webhook-timestamp"];
	const hmac = createHmac("sha256", "s3cret").update(`${event?.id}.${at}.${signed?.body}`).digest("base64");
	expect(signed?.headers["webhook-signature"]).toBe(`v1,${hmac}`);
	expect(signed?.headers["webhook-id"]).toBe(event?.id);

	const { status } = await policyNow(cluster, "all");
	expect(status).toMatchObject({ sent: 5, failed: 0, pending: 0, observedGeneration: 1 });
	expect(status?.sinks?.map(({ sent }) => sent)).toEqual([1, 1, 1, 1, 1]);
});

test("workloads are chosen by name, kind and label, a job of a cron job by the cron job's; what was before a policy is not told", async () => {
	const box = inbox();
	await using cluster = await startCluster({ clock: "virtual", notify: { send: box.send } });
	await cluster.apply(hooks);
	await cluster.apply(job("before", fails));
	await cluster.waitFor(jobs, "before", "Failed");
	await cluster.clock.advance("10s");
	await cluster.apply(
		policy("named", { workloads: { names: ["nightly"], kinds: ["CronJob"] }, events: ["Succeeded"] }),
	);
	await cluster.apply(policy("labelled", { workloads: { selector: { matchLabels: { team: "a" } } } }));
	await cluster.apply({
		apiVersion: "batch/v1",
		kind: "CronJob",
		metadata: { name: "nightly", namespace: "default" },
		spec: { schedule: "0 2 * * *", jobTemplate: { spec: job("x").spec } },
	});
	await cluster.apply([job("a", fails, { labels: { team: "a" } }), job("b", fails, { labels: { team: "b" } })]);
	await cluster.clock.advance("26h");
	expect(box.told().map(({ type, subject }) => `${type} ${subject.replace(/\d+$/, "N")}`)).toEqual([
		"io.coxswain.job.failed a",
		"io.coxswain.cronjob.succeeded nightly-N",
		"io.coxswain.cronjob.succeeded nightly-N",
	]);
});

test("what is wrong with one policy stands in its status, passes when it is mended, and holds up nobody else", async () => {
	const box = inbox();
	await using cluster = await startCluster({ clock: "virtual", notify: { send: box.send } });
	await cluster.apply(hooks);
	await cluster.apply([
		policy("no-secret", {
			sinks: [{ name: "s", webhook: { urlFrom: { secretKeyRef: { name: "later", key: "url" } } } }],
		}),
		policy("no-url", { sinks: [{ name: "s", slack: from("nonsense") }] }),
		policy("bad-template", { template: { title: "{{ job", text: "x" } }),
		policy("unknown-name", { template: { title: "{{ jobb }}" } }),
		policy("good", {}),
	]);
	await cluster.apply(job("backup", fails));
	await cluster.clock.advance("1m");
	expect(box.titles()).toHaveLength(1);
	const ready = async (name: string) => conditionText(await policyNow(cluster, name), "Ready");
	expect(await ready("no-secret")).toBe("False SecretMissing sink s: secret later not found");
	// The contents of a Secret are not revealed.
	expect(await ready("no-url")).toBe(
		"False SinkInvalid sink s: key nonsense of secret hooks has no URL that begins with https://",
	);
	expect(await ready("bad-template")).toMatch(/^False TemplateInvalid template.title: output "{{ job" not closed/);
	expect(await ready("unknown-name")).toMatch(/^False TemplateInvalid template.title: undefined variable: jobb/);
	expect(await ready("good")).toBe("True Complete");
	expect((await policyNow(cluster, "no-secret")).status).toMatchObject({ pending: 1, sent: 0 });
	const said = await cluster.client.list(events, {
		namespace: "default",
		fieldSelector: "involvedObject.kind=NotificationPolicy",
	});
	expect(said.items.map(({ involvedObject, reason }) => `${involvedObject.name} ${reason}`)).toContain(
		"no-secret NotReady",
	);

	await cluster.apply(secret("later", { url: "https://later.example.com/" }));
	await cluster.apply(
		policy("bad-template", { template: { title: "{{ name | upcase }}", text: "code {{ exitCode }}" } }),
	);
	await cluster.clock.advance("2m");
	expect(await ready("no-secret")).toBe("True Complete");
	expect((await policyNow(cluster, "no-secret")).status).toMatchObject({ pending: 0, sent: 1 });
	expect(box.told().map(({ data }) => [data.title, data["text"]])).toContainEqual(["BACKUP", "code 3"]);

	await cluster.apply(policy("not-closed", { template: { text: "{% if name %}" } }));
	await cluster.clock.advance("500ms");
	expect(await ready("not-closed")).toMatch(/^False TemplateInvalid template.text: tag {% if name %} not closed/);
});

test("a sink that fails is tried again, in order, for a day; another sink does not wait for it", async () => {
	const box = inbox();
	const dead: string[] = [];
	let isDead = true;
	const send = (request: OutgoingRequest) => {
		if (!request.url.includes("slack")) return box.send(request);
		if (isDead) dead.push(request.body);
		else box.requests.push(request);
		return isDead ? 503 : 200;
	};
	await using cluster = await startCluster({ clock: "virtual", notify: { send } });
	await cluster.apply(hooks);
	await cluster.apply(policy("both", { sinks: [{ name: "slack", slack: from("slack") }, webhook] }));
	await cluster.apply(job("one", fails));
	await cluster.clock.advance("10s");
	await cluster.apply(job("two", fails));
	await cluster.clock.advance("2h");
	expect(box.titles().map((title) => title.slice(0, 7))).toEqual(["Job one", "Job two"]);
	expect(dead.length).toBeGreaterThan(8);
	expect(dead.length).toBeLessThan(40);
	const late = await policyNow(cluster, "both");
	expect(late.status).toMatchObject({ sent: 2, failed: 0, pending: 2 });
	expect(conditionText(late, "Delivering")).toBe("False LastAttemptFailed sink slack: hooks.slack.com answered 503");
	isDead = false;
	await cluster.clock.advance("30m");
	const slack = box.requests
		.filter(({ sink }) => sink === "slack")
		.map(({ body }) => JSON.parse(body).text.slice(1, 8));
	expect(slack).toEqual(["Job one", "Job two"]);

	isDead = true;
	await cluster.apply(job("three", fails));
	await cluster.clock.advance("25h");
	expect((await policyNow(cluster, "both")).status).toMatchObject({ sent: 5, failed: 1, pending: 0 });
});

test("the rate and the quiet hours of a policy hold", async () => {
	const box = inbox();
	await using cluster = await startCluster({
		clock: "virtual",
		startTime: "2026-03-02T20:30:00Z",
		notify: { send: box.send },
	});
	await cluster.apply(hooks);
	const quietHours = { from: "22:00", to: "07:00", timeZone: "Europe/Berlin" };
	await cluster.apply(policy("calm", { quietHours, atMost: { count: 2, per: "1h" } }));
	await cluster.apply(
		policy("silent", { quietHours: { ...quietHours, action: "Drop" }, template: { title: "dropped" } }),
	);
	await cluster.clock.advance("40m");
	for (const name of ["a", "b", "c", "d"]) await cluster.apply(job(name, fails));
	await cluster.clock.advance("8h");
	expect(box.titles()).toEqual([]);
	await cluster.clock.advance("1h");
	expect(box.titles().map((title) => title.slice(0, 5))).toEqual(["Job a", "Job b"]);
	await cluster.clock.advance("1h");
	expect(box.titles()[2]).toBe("2 more notifications of policy calm in namespace default");
	expect((await policyNow(cluster, "calm")).status).toMatchObject({ sent: 3, summarized: 2, pending: 0 });
});

test("retries, slow jobs, missed runs, long suspension and stuck sets are told", async () => {
	const box = inbox();
	await using cluster = await startCluster({ clock: "virtual", notify: { send: box.send } });
	await cluster.apply(hooks);
	const all: NotificationPolicySpec["events"] = ["Retried", "Slow", "Skipped", "SuspendedLong", "Stuck", "Back"];
	await cluster.apply(policy("all", { events: all, slow: { longerThan: "5m" }, stuckFor: "10m", suspendedFor: "3h" }));
	const run = { "simulate.coxswain.io/duration": "12m" };
	const retried = job("retried", fails);
	await cluster.apply({ ...retried, spec: { ...retried.spec, backoffLimit: 1 } });
	await cluster.apply({
		apiVersion: "batch/v1",
		kind: "CronJob",
		metadata: { name: "often", namespace: "default" },
		spec: { schedule: "*/5 * * * *", concurrencyPolicy: "Forbid", jobTemplate: { spec: job("x", run).spec } },
	});
	await cluster.apply({
		apiVersion: "apps/v1",
		kind: "StatefulSet",
		metadata: { name: "db", namespace: "default" },
		spec: {
			serviceName: "db",
			selector: { matchLabels: { app: "db" } },
			template: {
				metadata: { labels: { app: "db" } },
				spec: { nodeSelector: { disk: "ssd" }, containers: [{ name: "db", image: "mysql" }] },
			},
		},
	});
	await cluster.clock.advance("20m");
	await cluster.client.patch(
		cronJobs,
		{ namespace: "default", name: "often" },
		{ type: "merge", patch: { spec: { suspend: true } } },
	);
	await cluster.nodes.add({ labels: { disk: "ssd" } });
	await cluster.waitFor(statefulSets, "db", ({ status }) => status?.readyReplicas === 1);
	await cluster.clock.advance("4h");
	const kinds = box.told().map(({ type }) => type.slice("io.coxswain.".length));
	expect(kinds.filter((type) => type === "job.retried")).toHaveLength(1);
	expect(kinds).toContain("cronjob.slow");
	expect(kinds).toContain("cronjob.skipped");
	expect(kinds.filter((type) => !type.startsWith("cronjob.s") && type !== "job.retried")).toEqual([
		"statefulset.stuck",
		"statefulset.back",
	]);
	expect(box.titles()).toContain("StatefulSet db is stuck: 0 of 1 pods ready for 10m");
	expect(box.titles()).toContain("CronJob often has been suspended for 3h");
	const ids = box.told().map(({ id }) => id);
	expect(new Set(ids).size).toBe(ids.length);
});

test("an annotation is the short way, also for a job that is gone at once; a test message goes to every sink", async () => {
	const box = inbox();
	await using cluster = await startCluster({ clock: "virtual", notify: { send: box.send } });
	await cluster.apply(hooks);
	const annotations = { "notify.coxswain.io/webhook": "hooks" };
	const gone = job("gone", fails, { annotations });
	await cluster.apply({ ...gone, spec: { ...gone.spec, ttlSecondsAfterFinished: 0 } });
	await cluster.waitFor(jobs, "gone", "deleted");
	await cluster.apply(job("good", {}, { annotations }));
	await cluster.apply(job("told", {}, { annotations: { ...annotations, "notify.coxswain.io/events": "Succeeded" } }));
	await cluster.clock.advance("1m");
	expect(box.titles().map((title) => title.replace(/ after.*/, ""))).toEqual(["Job gone failed", "Job told succeeded"]);
	expect(box.requests[0]?.headers["webhook-signature"]).toMatch(/^v1,/);

	box.answers.push(410);
	const two = [webhook, { name: "second", webhook: from("url") }];
	await cluster.apply(policy("tried", { sinks: two }));
	const patch = { metadata: { annotations: { "notify.coxswain.io/test": "1" } } };
	await cluster.client.patch(notificationPolicies, { namespace: "default", name: "tried" }, { type: "merge", patch });
	const done = await cluster.waitFor(notificationPolicies, "tried", ({ status }) => status?.lastTest?.id === "1");
	expect(done.status?.lastTest?.sinks).toEqual([
		{ name: "events", error: "events.example.com answered 410" },
		{ name: "second" },
	]);
	expect(JSON.parse(box.requests.at(-1)?.body ?? "").source).toBe(
		"/apis/notify.coxswain.io/v1/namespaces/default/notificationpolicies/tried",
	);
});

test("nothing watches runs until a policy or an annotation asks for notifications", async () => {
	const box = inbox();
	await using cluster = await startCluster({ clock: "virtual", notify: { send: box.send } });
	const watches = async () =>
		/apiserver_longrunning_requests\{[^}]*resource="runs"[^}]*\} (\d+)/.exec(
			String(await cluster.client.raw("GET", "/metrics")),
		)?.[1] ?? "0";
	await cluster.apply(hooks);
	await cluster.apply(job("before", fails));
	await cluster.waitFor(jobs, "before", "Failed");
	await cluster.clock.advance("10s");
	expect(await watches()).toBe("0");
	await cluster.apply(job("annotated", fails, { annotations: { "notify.coxswain.io/webhook": "hooks" } }));
	await cluster.clock.advance("10s");
	expect(await watches()).toBe("1");
	expect(box.titles().map((title) => title.replace(/ after.*/, ""))).toEqual(["Job annotated failed"]);
});
