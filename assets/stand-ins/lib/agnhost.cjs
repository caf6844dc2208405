// Stands in for agnhost, the many-in-one test image: `agnhost COMMAND [flags]`.
"use strict";
const fs = require("node:fs");
const { log, parse } = require("./agnhost/flags.cjs");

const resolvConf = (key) => {
	const lines = fs.readFileSync("/etc/resolv.conf", "utf8").split("\n");
	return lines.map((line) => line.trim().split(/\s+/)).filter(([first]) => first === key).flatMap(([, ...values]) => values);
};

const commands = {
	pause: () => {
		console.log("Paused");
		setInterval(() => {}, 1 << 30);
		for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => process.exit(0));
	},
	"entrypoint-tester": () => console.log(`[${process.argv.slice(2).join(" ")}]`),
	"etc-hosts": () => process.stdout.write(fs.readFileSync("/etc/hosts", "utf8")),
	"dns-suffix": () => process.stdout.write(resolvConf("search").join(",")),
	"dns-server-list": () => process.stdout.write(resolvConf("nameserver").join(",")),
	connect: (words) => require("./agnhost/connect.cjs").connect(words),
	mounttest: (words) => require("./agnhost/mounttest.cjs").mounttest(words),
	"logs-generator": (words) => require("./agnhost/logs.cjs").generate(words),
	netexec: (words) => require("./agnhost/netexec.cjs").netexec(words),
	"grpc-health-checking": (words) => require("./agnhost/grpc.cjs").serve(words),
	guestbook: (words) => require("./agnhost/guestbook.cjs").guestbook(words),
	"port-forward-tester": () => require("./agnhost/port-forward-tester.cjs").portForwardTester(),
	"resource-consumer-controller": (words) => require("./agnhost/resource-consumer-controller.cjs").controller(words),
	net: (words) => require("./agnhost/net.cjs").net(words),
	nettest: (words) => require("./agnhost/nettest.cjs").nettest(words),
	webhook: (words) => require("./agnhost/webhooks.cjs").webhook(words),
	"crd-conversion-webhook": (words) => require("./agnhost/webhooks.cjs")["crd-conversion-webhook"](words),
	...require("./agnhost/in-cluster.cjs"),
	...require("./agnhost/servers.cjs"),
};

const [, , , name = "pause", ...words] = process.argv;
if (name === "--version" || name === "help") {
	console.log(`agnhost: Coxswain's stand-in; commands: ${Object.keys(commands).join(", ")}`);
	process.exit(0);
}
const command = commands[name];
if (command === undefined) {
	console.error(`Error: unknown command "${name}" for "app": Coxswain's stand-in for agnhost knows ${Object.keys(commands).join(", ")}`);
	process.exit(1);
}
// Promises that are rejected come here, too.
process.on("uncaughtException", (error) => {
	log(error.message);
	process.exit(1);
});
// As the container's first program; what runs in it later finds them.
if (process.ppid === 0) require("./agnhost/certificate.cjs").place();
command(words, parse(words));
