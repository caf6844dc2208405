import type { Environment } from "./container/environment.ts";
import type { ProcessRuntimeOptions } from "./options.ts";
import { canReclaim } from "./output/raw-stream.ts";

/** Features that this node lacks, one line each, for `Runtime.limitations`. */
export async function limitationsOf(environment: Environment, options: ProcessRuntimeOptions): Promise<string[]> {
	const { directory } = options;
	return [
		...environment.cgroups.limitations,
		...((await canReclaim(directory)) ? [] : [outputLimitation(directory)]),
		profileLimitation,
		...(options.showHome === true ? [homeLimitation] : []),
		...(environment.rootless ? rootlessLimitations : []),
	];
}

function outputLimitation(directory: string): string {
	return `output of running containers is kept twice: files in ${directory} cannot shrink`;
}

/** These mechanisms need programs that not every machine has. */
const profileLimitation =
	"no AppArmor or SELinux profile confines containers: appArmorProfile RuntimeDefault and seLinuxOptions have no effect, a Localhost profile of AppArmor is refused";

const homeLimitation =
	"containers see the home directories, password hashes and keys of this machine: 'cox up --show-home' asked for it";

const rootlessLimitations = [
	"without root, supplementalGroups and fsGroup have no effect: all files belong to one user",
	"without root, a container that changes users or file owners by itself fails",
	"without root, files of the machine that other users own cannot be changed in containers, not even in their private copies",
];
