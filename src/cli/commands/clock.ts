import { Command, type CommandOptions } from "commander";
import { control } from "../../cluster/control/control-client.ts";
import type { ClockCommand, ClockStatus } from "../../cluster/control/control-protocol.ts";
import { durationMs } from "../../core/time/duration.ts";
import { clusterCommand, layoutFrom } from "../options/data-option.ts";
import { say, sayJson } from "../options/output.ts";

interface Options {
	data?: string;
	json?: true;
}

/** `cox clock`: controls the clock of a cluster that was started with `--clock virtual`. */
export function clockCommand(): Command {
	const clock = new Command("clock").description("show or control the clock of a cluster with virtual time");
	const add = (name: string, description: string, settings?: CommandOptions) => {
		const command = clusterCommand(name, description).option("--json", "print JSON");
		clock.addCommand(command, settings);
		return command;
	};
	add("show", "show the cluster's time", { isDefault: true }).action((options: Options) =>
		send(options, { do: "show" }),
	);
	add("stop", "stop time").action((options: Options) => send(options, { do: "stop" }));
	for (const [name, description] of [
		["step", "advance time by a duration such as 90s or 1m, then stop it"],
		["jump", "advance time by a duration such as 26h or 7d, then continue at the same rate"],
	] as const)
		add(name, description)
			.argument("<duration>", "such as 90s, 5m, 26h, 7d, 1h30m")
			.action((text: string, options: Options) =>
				send(options, { do: "advance", durationMs: durationMs(text), thenStand: name === "step" }),
			);
	add("run", "run time at a multiple of the normal rate")
		.argument("<rate>", "such as 60 or x60")
		.action((text: string, options: Options) => send(options, { do: "run", rate: parseRate(text) }));
	add("resume", "run time at the normal rate").action((options: Options) => send(options, { do: "run", rate: 1 }));
	return clock;
}

async function send(options: Options, command: ClockCommand): Promise<void> {
	const status = await control(layoutFrom(options), "clock", command);
	if (options.json) sayJson(status);
	else say(clockText(status));
}

function parseRate(text: string): number {
	const rate = Number(text.replace(/^[x×]/, ""));
	if (!Number.isFinite(rate) || rate <= 0)
		throw new Error(`'${text}' is not a rate: expected a number above 0, such as x60`);
	return rate;
}

function clockText(clock: ClockStatus): string {
	const time = new Date(clock.nowMs).toISOString();
	if (clock.kind === "system") return `${time} (the machine's clock; start with --clock virtual to control it)`;
	return `${time} (${clock.rate ? `running at ×${clock.rate}` : "standing"})`;
}
