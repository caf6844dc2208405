// Stands in for log collectors: prints what is added to the log files of the node.
"use strict";
const fs = require("node:fs");
const os = require("node:os");

const roots = ["/varlog", "/fluentd/log", "/var/log"];
const mostFiles = 2000;
const positions = new Map();
/** Its own log would grow by being read. */
const own = os.hostname();

function logFiles(directory, depth, found) {
	let entries = [];
	try {
		entries = fs.readdirSync(directory, { withFileTypes: true });
	} catch {
		return found;
	}
	for (const entry of entries) {
		const path = `${directory}/${entry.name}`;
		if (found.length >= mostFiles || path.includes(own)) continue;
		if (entry.isDirectory() && depth > 0) logFiles(path, depth - 1, found);
		else if (entry.isFile() && /(\.log|^syslog|^messages)$/.test(entry.name)) found.push(path);
	}
	return found;
}

function printNew(path, isFirstLook) {
	let size;
	try {
		({ size } = fs.statSync(path));
	} catch {
		positions.delete(path);
		return;
	}
	const known = positions.get(path);
	// What was there before it started is not repeated; a file that shrank was begun anew.
	const start = known === undefined ? (isFirstLook ? size : 0) : Math.min(known, size);
	positions.set(path, size);
	if (size <= start) return;
	const length = Math.min(size - start, 1 << 20);
	const buffer = Buffer.alloc(length);
	const fd = fs.openSync(path, "r");
	const read = fs.readSync(fd, buffer, 0, length, size - length);
	fs.closeSync(fd);
	for (const line of buffer.toString("utf8", 0, read).split("\n")) if (line !== "") console.log(`${path}: ${line}`);
}

const root = roots.find((candidate) => fs.existsSync(candidate)) || "/var/log";
for (const path of logFiles(root, 5, [])) printNew(path, true);
console.log(`fluentd is not on this machine: Coxswain's stand-in prints what is added to the logs in ${root}`);
setInterval(() => {
	for (const path of logFiles(root, 5, [])) printNew(path, false);
}, 1000);
for (const signal of ["SIGTERM", "SIGINT"]) process.on(signal, () => process.exit(0));
