// Stands in for resource-consumer: uses as much processor time, memory or metric as it is asked to by POST, for so long.
"use strict";
const fs = require("node:fs");
const { setFlagsFromString } = require("node:v8");
const { runInNewContext } = require("node:vm");
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

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc");
/** What the program itself takes, in megabytes, is a part of what it is to use: the original takes next to nothing. */
const ownMegabytes = Number(/^RssAnon:\s*(\d+)/m.exec(fs.readFileSync("/proc/self/status", "utf8"))?.[1] ?? 0) / 1024;
const held = [];
let askedMegabytes = 0;

/** Blocks are given back to the system as soon as they are let go: bin/ sees to that by the allocator's threshold. */
function hold(more) {
	askedMegabytes += more;
	const count = Math.max(Math.round(askedMegabytes - ownMegabytes), 0);
	while (held.length < count) held.push(Buffer.alloc(1e6, 1));
	if (held.length === count) return;
	held.length = count;
	collect();
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
			hold(megabytes);
			setTimeout(hold, durationSec * 1000, -megabytes);
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

listen(parse(process.argv.slice(2)).port ?? 8080, async (request, _response, url) => {
	if (url.pathname === "/metrics") return lines().join("");
	const form = await formOf(request, url, actions);
	const { fields, run } = actions[url.pathname];
	run(form);
	return [url.pathname.slice(1), ...fields.map((field) => `${form[field]} ${field}`), ""].join("\n");
});
burn();
endOnSignal();
