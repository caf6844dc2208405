#!/usr/bin/env node
const { existsSync } = require("node:fs");
const { join } = require("node:path");

const program = join(__dirname, "../dist/cli.cjs");
if (existsSync(program)) require(program);
else {
	console.error("cox: this checkout is not built: 'npm start' builds it");
	process.exitCode = 1;
}
