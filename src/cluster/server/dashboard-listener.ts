/** The port of the dashboard: plain HTTP on the loopback interface, opened when someone first asks for a link. */
import { join } from "node:path";
import { type Listener, listen } from "../../api/listen.ts";
import { ApiError } from "../../core/errors.ts";
import { systemClock } from "../../core/time/clock.ts";
import { Assets } from "../../dashboard/assets.ts";
import { Dashboard } from "../../dashboard/dashboard.ts";
import type { ClockCommand, DashboardRequest } from "../control/control-protocol.ts";
import type { ControlPlane } from "../control-plane/control-plane.ts";
import { packageDirectory } from "../files/package-files.ts";
import { version } from "../files/version.ts";
import type { ServerTime } from "./server-time.ts";

const host = "127.0.0.1";
/** Who looks unless a user is named: the administrator, as with the cluster's kubeconfig. */
const administrator = { name: "kubernetes-admin", groups: ["system:masters", "system:authenticated"] };

export class DashboardListener {
	readonly #listener: Listener;
	readonly #dashboard: Dashboard;

	private constructor(listener: Listener, dashboard: Dashboard) {
		this.#listener = listener;
		this.#dashboard = dashboard;
	}

	/** @throws Error if the page has not been built */
	static async open({ api }: ControlPlane, time: ServerTime): Promise<DashboardListener> {
		let port = 0;
		const dashboard = new Dashboard({
			api,
			assets: new Assets(join(packageDirectory, "dist/dashboard")),
			time: { status: () => time.status, turn: (command) => time.turn(clockCommand(command)) },
			clock: systemClock({ unref: true }),
			version,
			port: () => port,
		});
		const listener = await listen(dashboard, { host });
		port = listener.port ?? 0;
		return new DashboardListener(listener, dashboard);
	}

	/** @returns a link that logs in once */
	link({ user, groups = [], readOnly = false }: DashboardRequest): string {
		const viewer = user === undefined ? administrator : { name: user, groups: [...groups, "system:authenticated"] };
		return `http://${host}:${this.#listener.port}${this.#dashboard.loginPath({ user: viewer, readOnly })}`;
	}

	close(): Promise<void> {
		return this.#listener.close();
	}
}

/** @throws ApiError unless a browser sent a command */
function clockCommand(command: unknown): ClockCommand {
	const { do: what, rate, durationMs } = (command ?? {}) as Record<string, unknown>;
	if (what === "show" || what === "stop") return { do: what };
	if (what === "run" && typeof rate === "number" && rate > 0 && rate <= 100_000) return { do: "run", rate };
	if (what === "advance" && typeof durationMs === "number" && durationMs > 0 && durationMs <= 400 * 86_400_000)
		return { do: "advance", durationMs, thenStand: false };
	throw new ApiError("BadRequest", "not a command of the clock");
}
