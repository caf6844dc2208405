import { planCases } from "../testing/cases.ts";
import { extensionAuthenticationController } from "./controller.ts";

const headers = {
	username: ["X-Remote-User"],
	uid: ["X-Remote-Uid"],
	group: ["X-Remote-Group"],
	extraPrefix: ["X-Remote-Extra-"],
};
const published = { clientCa: "CLIENTS\n", frontProxy: { ca: "PROXIES\n", names: ["front-proxy-client"], headers } };

planCases(extensionAuthenticationController(published), new URL("./testdata/", import.meta.url));
