/** The protocol of the server process and the ingress process: messages over Node's IPC. A lost channel ends it. */
import type { IngressLoadBalancerIngress } from "../../kinds/generated/types.ts";
import type { CertificateSource } from "../../proxy/ingress/certificates.ts";

export type IngressOrder =
	| {
			do: "start";
			/** Unix socket of the API, and the token of the ingress controller. */
			apiSocket: string;
			token: string;
			/** For the status of Ingresses. */
			address: IngressLoadBalancerIngress;
			certificates: CertificateSource;
	  }
	/** Those that Ingresses name, all of them. */
	| { do: "certify"; certificates: CertificateSource }
	/** With a listening server, which the server process has opened in the machine's network. */
	| { do: "listen"; protocol: "http" | "https" }
	/** Nothing is served any more: the status of Ingresses is cleared, and the process ends. */
	| { do: "finish" };
