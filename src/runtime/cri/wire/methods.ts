/** The methods of CRI v1 that this runtime calls. */
import type { Fields, Message } from "./message.ts";
import { messages } from "./messages.ts";

export interface Method<Q extends Fields, A extends Fields> {
	/** `/runtime.v1.RuntimeService/Version` */
	path: string;
	request: Message<Q>;
	response: Message<A>;
}

function runtime<Q extends Fields, A extends Fields>(name: string, request: Message<Q>, response: Message<A>) {
	return { path: `/runtime.v1.RuntimeService/${name}`, request, response };
}

function image<Q extends Fields, A extends Fields>(name: string, request: Message<Q>, response: Message<A>) {
	return { path: `/runtime.v1.ImageService/${name}`, request, response };
}

const { nothing, sandboxId, containerId } = messages;

export const methods = {
	version: runtime("Version", nothing, messages.version),
	status: runtime("Status", nothing, messages.statusResponse),
	runSandbox: runtime("RunPodSandbox", messages.runSandbox, sandboxId),
	stopSandbox: runtime("StopPodSandbox", sandboxId, nothing),
	removeSandbox: runtime("RemovePodSandbox", sandboxId, nothing),
	sandboxStatus: runtime("PodSandboxStatus", messages.sandboxStatusRequest, messages.sandboxStatusResponse),
	listSandboxes: runtime("ListPodSandbox", messages.listSandboxesRequest, messages.listSandboxesResponse),
	createContainer: runtime("CreateContainer", messages.createContainer, containerId),
	startContainer: runtime("StartContainer", containerId, nothing),
	stopContainer: runtime("StopContainer", messages.stopContainer, nothing),
	removeContainer: runtime("RemoveContainer", containerId, nothing),
	listContainers: runtime("ListContainers", messages.listContainersRequest, messages.listContainersResponse),
	containerStatus: runtime("ContainerStatus", containerId, messages.containerStatusResponse),
	updateResources: runtime("UpdateContainerResources", messages.updateResources, nothing),
	reopenLog: runtime("ReopenContainerLog", containerId, nothing),
	exec: runtime("Exec", messages.exec, messages.url),
	attach: runtime("Attach", messages.attach, messages.url),
	stats: runtime("ListContainerStats", messages.statsRequest, messages.statsResponse),
	/** Answered by a stream, in runtimes that have it. */
	events: runtime("GetContainerEvents", nothing, messages.event),
	listImages: image("ListImages", nothing, messages.listImagesResponse),
	imageStatus: image("ImageStatus", messages.imageRequest, messages.imageStatusResponse),
	pullImage: image("PullImage", messages.pullImage, messages.pullImageResponse),
	removeImage: image("RemoveImage", messages.imageRequest, nothing),
};
