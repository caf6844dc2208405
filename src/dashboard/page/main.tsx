/** Starts the page. */
import { render } from "preact";
import { messageOf } from "../../core/errors.ts";
import { App } from "./app.tsx";
import { startDrop } from "./parts/apply-dialog.tsx";
import { startPalette } from "./parts/palette.tsx";
import { startClock } from "./state/clock.ts";
import { follow } from "./state/objects.ts";
import { startRouting } from "./state/route.ts";
import { loadSession } from "./state/session.ts";

const root = document.getElementById("app");
if (root === null) throw new Error("the page has no element #app");

loadSession().then(
	() => {
		startClock();
		startRouting();
		startPalette();
		startDrop();
		render(<App />, root);
		void follow();
	},
	(error: unknown) => {
		root.textContent = messageOf(error);
	},
);
