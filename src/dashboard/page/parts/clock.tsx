/** The cluster's clock; where time is virtual, it can be stepped and run. */
import { clockInfo, nowMs, turn } from "../state/clock.ts";
import { dateTime } from "../text/times.ts";
import { words } from "../text/words.ts";
import { Action } from "./action.tsx";

const steps = [
	["minute", 60_000],
	["hour", 3_600_000],
	["day", 86_400_000],
] as const;
const rates = [1, 60, 3600];

export function ClockPart() {
	const w = words();
	const clock = clockInfo();
	if (clock === undefined) return null;
	return (
		<section class="clock" aria-label={w.clock}>
			<time dateTime={new Date(nowMs()).toISOString()}>{dateTime(nowMs())}</time>
			{clock.kind === "virtual" && (
				<>
					<span>{clock.rate === 0 || clock.rate === undefined ? w.stopped : `×${clock.rate}`}</span>
					{steps.map(([label, durationMs]) => (
						<Action key={label} run={() => turn({ do: "advance", durationMs })}>
							+{w[label]}
						</Action>
					))}
					{rates.map((rate) => (
						<Action key={rate} run={() => turn({ do: "run", rate })}>
							×{rate}
						</Action>
					))}
					<Action run={() => turn({ do: "stop" })}>{w.stop}</Action>
				</>
			)}
		</section>
	);
}
