"use strict";

/** `--name=value`, `--name value`, `--name` (true), with one or two dashes; the rest in `rest`. */
exports.parse = function parse(words, switches = []) {
	const flags = { rest: [] };
	for (let at = 0; at < words.length; at++) {
		const word = words[at];
		const match = /^--?([\w-]+)(?:=([^]*))?$/.exec(word);
		if (match === null) flags.rest.push(word);
		else if (match[2] !== undefined) flags[match[1]] = match[2];
		else if (switches.includes(match[1]) || at + 1 >= words.length || words[at + 1].startsWith("--")) flags[match[1]] = "true";
		else flags[match[1]] = words[++at];
	}
	return flags;
};

/** A line on stderr with the time, as Go's log package writes it. */
exports.log = function log(text) {
	const now = new Date().toISOString();
	console.error(`${now.slice(0, 10).replaceAll("-", "/")} ${now.slice(11, 19)} ${text}`);
};

/** Milliseconds of a Go duration: `1m30s`, `500ms`. Undefined for anything else. */
exports.durationMs = function durationMs(text) {
	if (text === undefined || text === "" || text === "0") return 0;
	const units = { ns: 1e-6, us: 1e-3, ms: 1, s: 1000, m: 60_000, h: 3_600_000 };
	const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(ns|us|ms|s|m|h)/g)];
	if (parts.map(([whole]) => whole).join("") !== text) return undefined;
	return parts.reduce((sum, [, count, unit]) => sum + Number(count) * units[unit], 0);
};
