import { Command } from "commander";
import { control } from "../../cluster/control/control-client.ts";
import type { ClockCommand, ClockStatus } from "../../cluster/control/control-protocol.ts";
import { durationMs } from "../../core/duration.ts";
import { clusterCommand, layoutFrom } from "../options/data-option.ts";
import { say } from "../options/output.ts";

/** `cox clock`: turn the clock of a cluster that was started with `--clock virtual`. */
export function clockCommand(): Command {
	const clock = new Command("clock").description("show or turn the clock of a cluster with virtual time");
	const send = async (options: { data?: string }, command: ClockCommand) =>
		say(clockText(await control(layoutFrom(options), "clock", command)));
	clock.addCommand(
		clusterCommand("show", "what time it is").action((options: { data?: string }) => send(options, { do: "show" })),
		{ isDefault: true },
	);
	clock.addCommand(
		clusterCommand("stop", "let time stand").action((options: { data?: string }) => send(options, { do: "stop" })),
	);
	for (const [name, description] of [
		["step", "forward by a duration such as 90s or 1m, then stand"],
		["jump", "forward by a duration such as 26h or 7d, then go on as before"],
	] as const)
		clock.addCommand(
			clusterCommand(name, description)
				.argument("<duration>", "such as 90s, 5m, 26h, 7d, 1h30m")
				.action((text: string, options: { data?: string }) =>
					send(options, { do: "advance", durationMs: durationMs(text), thenStand: name === "step" }),
				),
		);
	clock.addCommand(
		clusterCommand("run", "let time run, so many times as fast as real time")
			.argument("<rate>", "such as 60 or x60")
			.action((text: string, options: { data?: string }) => send(options, { do: "run", rate: parseRate(text) })),
	);
	clock.addCommand(
		clusterCommand("resume", "let time run as real time does").action((options: { data?: string }) =>
			send(options, { do: "run", rate: 1 }),
		),
	);
	return clock;
}

function parseRate(text: string): number {
	const rate = Number(text.replace(/^[x×]/, ""));
	if (!Number.isFinite(rate) || rate <= 0)
		throw new Error(`'${text}' is not a rate: wanted a number above 0, such as x60`);
	return rate;
}

function clockText(clock: ClockStatus): string {
	const time = new Date(clock.nowMs).toISOString();
	if (clock.kind === "system")
		return `${time} (the machine's clock; start with --clock virtual for one that can be turned)`;
	return `${time} (${clock.rate ? `running at ×${clock.rate}` : "standing"})`;
}
