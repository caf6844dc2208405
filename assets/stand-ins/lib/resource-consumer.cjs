// Stands in for resource-consumer: uses as much processor time, memory or metric as it is asked to by POST, for so long.
"use strict";
const { parse } = require("./agnhost/flags.cjs");
const { endOnSignal, listen } = require("./agnhost/http.cjs");
const { formOf } = require("./resource-requests.cjs");

const tickMs = 50;
let millicores = 0;
const metrics = new Map();

/** Burns what all requests together ask for; what a tick fell short of or went over is made good by the next. */
function burn() {
	let used = process.cpuUsage();
	let owedMs = 0;
	const tick = () => {
		const now = process.cpuUsage();
		const usedMs = (now.user - used.user + now.system - used.system) / 1000;
		used = now;
		owedMs = millicores === 0 ? 0 : Math.min(owedMs + (tickMs * millicores) / 1000 - usedMs, 2 * tickMs);
		const end = process.cpuUsage().user + owedMs * 1000;
		while (process.cpuUsage().user < end);
	};
	setInterval(tick, tickMs);
}

const actions = {
	"/ConsumeCPU": {
		fields: ["millicores", "durationSec"],
		run({ millicores: amount, durationSec }) {
			millicores += amount;
			setTimeout(() => {
				millicores -= amount;
			}, durationSec * 1000);
		},
	},
	"/ConsumeMem": {
		fields: ["megabytes", "durationSec"],
		run({ megabytes, durationSec }) {
			const held = Buffer.alloc(megabytes * 1e6, 1);
			setTimeout(() => held.length, durationSec * 1000);
		},
	},
	"/BumpMetric": {
		fields: ["metric", "delta", "durationSec"],
		run({ metric, delta, durationSec }) {
			const add = (amount) => metrics.set(metric, (metrics.get(metric) ?? 0) + amount);
			add(delta);
			setTimeout(add, durationSec * 1000, -delta);
		},
	},
};

const lines = () =>
	[...metrics].map(([name, value]) => `# HELP ${name} info message.\n# TYPE ${name} gauge\n${name} ${value.toFixed(6)}\n`);

exports.consume = function consume(words) {
	listen(parse(words).port ?? 8080, async (request, _response, url) => {
		if (url.pathname === "/metrics") return lines().join("");
		const form = await formOf(request, url, actions);
		const { fields, run } = actions[url.pathname];
		run(form);
		return [url.pathname.slice(1), ...fields.map((field) => `${form[field]} ${field}`), ""].join("\n");
	});
	burn();
	endOnSignal();
};

if (require.main === module) exports.consume(process.argv.slice(2));
