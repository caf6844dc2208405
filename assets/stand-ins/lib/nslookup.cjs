// Stands in for nslookup, with the output and exit codes of busybox's; names are completed as /etc/resolv.conf says.
"use strict";
const dns = require("node:dns").promises;
const fs = require("node:fs");
const net = require("node:net");

const words = process.argv.slice(2);
const type = (words.find((word) => /^-(query|type|q)=/.test(word)) || "").split("=")[1];
const [name, server] = words.filter((word) => !word.startsWith("-"));
if (!name) {
	console.error("Usage: nslookup [-type=QUERY_TYPE] HOST [DNS_SERVER]");
	process.exit(1);
}

const settings = { nameservers: [], search: [], ndots: 1 };
try {
	for (const line of fs.readFileSync("/etc/resolv.conf", "utf8").split("\n")) {
		const [key, ...values] = line.trim().split(/\s+/);
		if (key === "nameserver") settings.nameservers.push(values[0]);
		if (key === "search" || key === "domain") settings.search = values;
		if (key === "options") for (const value of values) if (value.startsWith("ndots:")) settings.ndots = Number(value.slice(6));
	}
} catch {
	// Without the file the defaults hold.
}
const used = server || settings.nameservers[0] || "127.0.0.1";
const resolver = new dns.Resolver({ timeout: 2000, tries: 2 });
resolver.setServers([used]);

function candidates() {
	if (name.endsWith(".")) return [name.slice(0, -1)];
	const searched = settings.search.map((domain) => `${name}.${domain}`);
	return name.split(".").length - 1 >= settings.ndots ? [name, ...searched] : [...searched, name];
}

/** What is asked for to learn the name of an address. */
function reverseName(address) {
	if (net.isIPv4(address)) return `${address.split(".").reverse().join(".")}.in-addr.arpa`;
	const [head, tail] = address.split("::").map((part) => part.split(":").filter(Boolean));
	const zeros = tail === undefined ? [] : Array(8 - head.length - tail.length).fill("0");
	const digits = [...head, ...zeros, ...(tail || [])].map((group) => group.padStart(4, "0")).join("");
	return `${[...digits].reverse().join(".")}.ip6.arpa`;
}

async function lines(host) {
	const kind = (type || "").toUpperCase();
	// Not by `reverse`, which asks /etc/hosts first.
	if (net.isIP(host)) return (await resolver.resolvePtr(reverseName(host))).map((found) => `${reverseName(host)}\tname = ${found}`);
	if (kind === "SRV") return (await resolver.resolveSrv(host)).map((srv) => `${host}\tservice = ${srv.priority} ${srv.weight} ${srv.port} ${srv.name}`);
	if (kind === "TXT") return (await resolver.resolveTxt(host)).map((text) => `${host}\ttext = "${text.join("")}"`);
	if (kind === "CNAME") return [`${host}\tcanonical name = ${await resolver.resolveCname(host)}`];
	const wanted = kind === "AAAA" ? [] : resolver.resolve4(host);
	const wanted6 = kind === "A" ? [] : resolver.resolve6(host).catch(() => []);
	const four = await Promise.resolve(wanted).catch((error) => (error.code === "ENODATA" ? [] : Promise.reject(error)));
	const addresses = [...four, ...(await wanted6)];
	if (addresses.length === 0) throw Object.assign(new Error("no data"), { code: "ENODATA" });
	return addresses.map((address) => `Name:\t${host}\nAddress: ${address}`);
}

(async () => {
	console.log(`Server:\t\t${used}\nAddress:\t${used}:53\n`);
	let last;
	for (const host of net.isIP(name) ? [name] : candidates()) {
		try {
			console.log(`${(await lines(host)).join("\n")}\n`);
			return;
		} catch (error) {
			last = error;
			if (["ETIMEOUT", "ECONNREFUSED"].includes(error.code)) break;
		}
	}
	if (["ETIMEOUT", "ECONNREFUSED"].includes(last.code)) console.log(";; connection timed out; no servers could be reached\n");
	else console.log(`** server can't find ${net.isIP(name) ? reverseName(name) : name}: NXDOMAIN\n`);
	process.exitCode = 1;
})();
