/** certificatesigningrequests/approval: approves or denies a request. */

import type { ApiResponse } from "../../core/exchange.ts";
import { timestamp } from "../../core/time/clock.ts";
import { setConditionTimes } from "../../kinds/certificates/certificatesigningrequest.ts";
import { validateStatusUpdate } from "../../kinds/certificates/certificatesigningrequest-validate.ts";
import type { CertificateSigningRequest } from "../../kinds/generated/types.ts";
import type { Strategy } from "../mutate/write.ts";
import type { Target } from "../resources/target.ts";
import type { Context } from "../server/server.ts";
import { partOf } from "./part.ts";

export function approval(context: Context, target: Target): Promise<ApiResponse> {
	return partOf(context, target, strategy(timestamp(context.server.clock.now())));
}

/** Only conditions are written. All targets are requests. */
function strategy(now: string): Strategy {
	return {
		prepare(sent, current) {
			const [request, old] = [sent as CertificateSigningRequest, current as CertificateSigningRequest];
			setConditionTimes(request, old, now);
			const conditions = request.status?.conditions;
			request.spec = old.spec;
			request.status = { ...old.status, ...(conditions === undefined ? {} : { conditions }) };
			if (conditions === undefined) delete request.status.conditions;
		},
		validate: (request, old) =>
			validateStatusUpdate(request as CertificateSigningRequest, old as CertificateSigningRequest, "approval"),
	};
}
