// agnhost logs-generator --log-lines-total=N --run-duration=D: lines as a server would log them, evenly spread.
"use strict";
const { durationMs, parse } = require("./flags.cjs");

const pick = (list) => list[Math.floor(Math.random() * list.length)];

exports.generate = function generate(words) {
	const flags = parse(words);
	const total = Number(flags["log-lines-total"] || flags.t || 0);
	const duration = durationMs(flags["run-duration"] || flags.d || "0");
	if (!(total > 0) || !(duration > 0)) throw new Error("log-lines-total and run-duration must be above zero");
	let count = 0;
	const timer = setInterval(() => {
		const now = new Date().toISOString();
		const path = `/api/v1/namespaces/${pick(["kube-system", "default", "ns"])}/pods/${Math.random().toString(36).slice(2, 6)}`;
		const status = 200 + Math.floor(Math.random() * 400);
		console.error(`I${now.slice(5, 7)}${now.slice(8, 10)} ${now.slice(11, 23)}000       1 logs_generator.go:76] ${count} ${pick(["GET", "PUT", "POST"])} ${path} ${status}`);
		if (++count >= total) clearInterval(timer);
	}, duration / total);
};
