// agnhost resource-consumer-controller: spreads what it is asked for over the consumers behind a service, in parts.
"use strict";
const http = require("node:http");
const { parse } = require("./flags.cjs");
const { endOnSignal, listen } = require("./http.cjs");
const { formOf } = require("../resource-requests.cjs");

const actions = {
	"/ConsumeCPU": { fields: ["millicores", "durationSec", "requestSizeMillicores"], amount: "millicores", part: "requestSizeMillicores" },
	"/ConsumeMem": { fields: ["megabytes", "durationSec", "requestSizeMegabytes"], amount: "megabytes", part: "requestSizeMegabytes" },
	"/BumpMetric": { fields: ["metric", "delta", "durationSec", "requestSizeMetrics"], amount: "delta", part: "requestSizeMetrics" },
};

/** Each on a connection of its own, so that the service spreads them. */
function post(url, form) {
	return new Promise((resolve) => {
		const request = http.request(url, { method: "POST", agent: false, headers: { "Content-Type": "application/x-www-form-urlencoded" } });
		request.on("response", (answer) => answer.resume().on("end", () => resolve("")));
		request.on("error", (error) => resolve(`Failed to connect to consumer: ${error.message}\n`));
		request.end(new URLSearchParams(form).toString());
	});
}

exports.controller = function controller(words) {
	const flags = parse(words);
	const service = flags["consumer-service-name"] ?? "resource-consumer";
	const namespace = flags["consumer-service-namespace"] ?? "default";
	const consumers = `http://${service}.${namespace}.svc:${flags["consumer-port"] ?? 8080}`;
	listen(flags.port ?? 8080, async (request, _response, url) => {
		const form = await formOf(request, url, actions);
		const { amount, part } = actions[url.pathname];
		const { [part]: size, ...rest } = form;
		if (!(size > 0)) throw new Error("incorrect function argument");
		const count = Math.floor(form[amount] / size);
		const left = form[amount] % size;
		const parts = [...Array(count).fill(size), ...(left > 0 ? [left] : [])];
		const answers = await Promise.all(parts.map((each) => post(`${consumers}${url.pathname}`, { ...rest, [amount]: each })));
		return `RC manager: sent ${parts.length} requests for ${form[amount]} ${amount}\n${answers.join("")}`;
	});
	endOnSignal();
};
