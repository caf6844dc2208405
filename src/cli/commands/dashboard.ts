import { spawn } from "node:child_process";
import type { Command } from "commander";
import { control } from "../../cluster/control/control-client.ts";
import { clusterCommand, layoutFrom } from "../options/data-option.ts";
import { say } from "../options/output.ts";

interface DashboardOptions {
	data?: string;
	user?: string;
	group?: string[];
	readOnly?: true;
	printUrl?: true;
}

export function dashboardCommand(): Command {
	return clusterCommand("dashboard", "open the dashboard in a browser")
		.option("--user <name>", "look as this user, with its rights (default: the administrator)")
		.option("--group <name...>", "groups of the user")
		.option("--read-only", "allow no changes, for a screen that others see")
		.option("--print-url", "only print the link, which logs in once within two minutes")
		.action(async ({ user, group, readOnly, printUrl, ...options }: DashboardOptions) => {
			if (group !== undefined && user === undefined) throw new Error("--group requires --user");
			const { url } = await control(layoutFrom(options), "dashboard", {
				...(user !== undefined && { user }),
				...(group !== undefined && { groups: group }),
				...(readOnly && { readOnly }),
			});
			if (printUrl || !(await opened(url))) say(url);
		});
}

/** Whether a browser was started. Without a display there is none. */
async function opened(url: string): Promise<boolean> {
	const isMac = process.platform === "darwin";
	if (!isMac && !process.env.DISPLAY && !process.env.WAYLAND_DISPLAY) return false;
	const opener = spawn(isMac ? "open" : "xdg-open", [url], { stdio: "ignore", detached: true });
	return new Promise((resolve) => {
		opener.once("error", () => resolve(false));
		opener.once("exit", (code) => resolve(code === 0));
	});
}
