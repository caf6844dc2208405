import { exitMeaning } from "./exit-codes.ts";
import type { Phrases } from "./phrases.ts";

export const german: Phrases = {
	running: () => ({ says: "Der Pod läuft, und seine Container sind bereit." }),
	succeeded: () => ({
		says: "Alle Container haben sich mit 0 beendet: Der Pod hat seine Arbeit getan und wird nicht neu gestartet.",
	}),
	failed: ({ reason, message }) => ({
		says: `Der Pod ist fehlgeschlagen${reason && `, Grund ${reason}`}${message && `: ${message}`}`,
		helps: "Ein fehlgeschlagener Pod startet nicht neu: Sein Job oder anderer Besitzer legt einen neuen an.",
	}),
	exited: ({ container, exitCode, reason }) => ({
		says: `Container ${container} hat sich mit Code ${exitCode} beendet${meaning(exitCode, reason)}; die restartPolicy des Pods startet ihn nicht neu.`,
		helps: "Die letzten Zeilen seines Logs sagen meist, warum.",
	}),
	terminating: ({ seconds, grace }) => ({
		says: `Der Pod wird seit ${seconds} s beendet; nach ${grace} s werden seine Container abgebrochen.`,
		helps: "Ein Programm, das SIGTERM nicht beachtet, braucht immer die ganze Frist (terminationGracePeriodSeconds).",
	}),
	finalizers: ({ names }) => ({
		says: `Der Pod ist beendet; nur seine Finalizer halten ihn noch: ${names}.`,
		helps:
			"Der Controller, der einen Finalizer gesetzt hat, muss ihn entfernen. Gibt es ihn nicht mehr, entferne ihn von Hand.",
	}),
	nodeLost: ({ node }) => ({
		says: `Der Pod ist auf dem Node ${node}, der nicht bereit ist: Was seine Container tun, ist unbekannt.`,
		helps:
			"Nach 5 Minuten wird der Pod verdrängt und sein Besitzer legt einen anderen an – außer beim StatefulSet, wo erst sicher sein muss, dass der alte weg ist.",
	}),
	gated: ({ gates }) => ({
		says: `Der Scheduler beachtet den Pod nicht, wegen seiner schedulingGates: ${gates}.`,
		helps: "Der Controller, der ein Gate gesetzt hat, entfernt es, wenn der Pod starten darf.",
	}),
	notSeenByScheduler: () => ({
		says: "Der Scheduler hat den Pod noch nicht betrachtet.",
		helps: "Das dauert Millisekunden. Wenn es so bleibt, siehe 'cox status': Vielleicht läuft der Scheduler nicht.",
	}),
	otherScheduler: ({ scheduler }) => ({
		says: `Der Pod verlangt den Scheduler ${scheduler}, der ihn noch nicht betrachtet hat.`,
		helps: "Starte diesen Scheduler, oder entferne spec.schedulerName.",
	}),
	unschedulable: ({ message }) => ({ says: `Kein Node kann den Pod aufnehmen: ${message}` }),
	insufficient: ({ resource, nodes }) => ({
		says: `${count(nodes, "Node hat", "Nodes haben")} nicht genug ${resource} für das, was der Pod anfordert.`,
		helps: `Fordere weniger ${resource} an, lösche oder verkleinere anderes, oder füge einen Node hinzu ('cox node add').`,
	}),
	tainted: ({ nodes }) => ({
		says: `${count(nodes, "Node hat einen Taint", "Nodes haben Taints")}, die der Pod nicht toleriert.`,
		helps: "Gib dem Pod eine Toleration, oder entferne den Taint: kubectl taint nodes NODE KEY-",
	}),
	selectorUnmatched: ({ nodes, label }) => ({
		says: `${count(nodes, "Node passt", "Nodes passen")} nicht zu nodeSelector oder Node-Affinity des Pods.`,
		helps: `Gib einem Node das Label (kubectl label node NODE ${label || "KEY=WERT"}), oder ändere den Selektor.`,
	}),
	nodesUnschedulable: ({ nodes }) => ({
		says: `${count(nodes, "Node ist", "Nodes sind")} für neue Pods gesperrt (cordon oder drain).`,
		helps: "kubectl uncordon NODE hebt das auf.",
	}),
	affinityUnmatched: ({ nodes }) => ({
		says: `Auf ${count(nodes, "Node", "Nodes")} würde der Pod seine eigenen Regeln verletzen, neben welchen Pods er läuft oder wie er sich verteilt.`,
		helps:
			"Eine verlangte Anti-Affinity oder Verteilung braucht so viele Nodes wie Replicas: Füge Nodes hinzu, oder bevorzuge statt zu verlangen.",
	}),
	portsTaken: ({ nodes }) => ({
		says: `Auf ${count(nodes, "Node", "Nodes")} belegt ein anderer Pod denselben hostPort.`,
		helps: "Auf einem Node kann nur ein Pod einen hostPort haben: Nimm einen Service oder ein DaemonSet.",
	}),
	volumeElsewhere: ({ nodes }) => ({
		says: `Das Volume des Pods ist auf ${count(nodes, "Node", "Nodes")} nicht nutzbar: Es liegt auf einem anderen.`,
		helps:
			"Der Pod muss dort laufen, wo seine Daten sind. Ist dieser Node für immer weg, lösche den Claim (mit den Daten).",
	}),
	noNodes: () => ({ says: "Der Cluster hat keine Nodes.", helps: "'cox node add' fügt einen hinzu." }),
	claimMissing: ({ claim }) => ({
		says: `Den PersistentVolumeClaim ${claim} gibt es nicht.`,
		helps:
			"Lege ihn an, oder berichtige claimName. Ein StatefulSet legt Claims nur aus seinen volumeClaimTemplates an.",
	}),
	claimPending: ({ claim, message }) => ({
		says: `Der PersistentVolumeClaim ${claim} ist noch nicht gebunden${message ? `: ${message}` : "."}`,
		helps:
			"Entweder muss ein PersistentVolume zu Größe, Zugriffsarten und Klasse passen, oder seine Klasse braucht einen Provisioner.",
	}),
	claimClassMissing: ({ claim, storageClass }) => ({
		says: `Der PersistentVolumeClaim ${claim} verlangt die StorageClass ${storageClass}, die es nicht gibt.`,
		helps:
			"Lege die Klasse an, oder nimm eine, die 'kubectl get storageclass' zeigt, oder keine für die Standardklasse. Weder die Klasse eines Claims noch volumeClaimTemplates lassen sich ändern: Lösche den Claim und sein StatefulSet und lege sie neu an.",
	}),
	claimWithoutClass: ({ claim }) => ({
		says: `Der PersistentVolumeClaim ${claim} nennt keine StorageClass, und der Cluster hat keine Standardklasse.`,
		helps: "Nenne eine Klasse, oder lege ein passendes PersistentVolume an.",
	}),
	claimWaitsForPod: ({ claim }) => ({
		says: `Der PersistentVolumeClaim ${claim} wird erst gebunden, wenn ein Pod, der ihn nutzt, einen Node hat (WaitForFirstConsumer).`,
		helps: "Das ist normal: Lege den Pod an, oder sieh nach, warum er keinen Node bekommt.",
	}),
	claimLost: ({ claim }) => ({
		says: `Der PersistentVolumeClaim ${claim} hat sein PersistentVolume verloren.`,
		helps: "Mit dem Volume sind seine Daten weg: Lösche den Claim und lege ihn neu an.",
	}),
	claimBound: ({ claim, volume }) => ({
		says: `Der PersistentVolumeClaim ${claim} ist an das Volume ${volume} gebunden.`,
	}),
	imageMissing: ({ container, image, message }) => ({
		says: `Das Image ${image} von Container ${container} lässt sich nicht laden: ${message}`,
		helps:
			"Prüfe Namen und Tag. Für eine private Registry braucht der Pod imagePullSecrets. 'cox images pull' versucht es von Hand.",
	}),
	imageNameInvalid: ({ container, image }) => ({
		says: `Das Image von Container ${container}, ${JSON.stringify(image)}, ist kein gültiger Name.`,
		helps: "Ein Name hat nur Kleinbuchstaben, etwa registry.example.com/team/app:1.2.",
	}),
	imageNeverPulled: ({ container, image }) => ({
		says: `Das Image ${image} von Container ${container} ist nicht auf dem Node, und imagePullPolicy Never verbietet das Laden.`,
		helps: "Lade es mit 'cox images import', oder nimm IfNotPresent.",
	}),
	configMissing: ({ container, message }) => ({
		says: `Container ${container} lässt sich nicht einrichten: ${message}`,
		helps: "Lege die fehlende ConfigMap, das Secret oder den Schlüssel an: Der Container startet dann von selbst.",
	}),
	containerNotCreated: ({ container, message }) => ({
		says: `Container ${container} lässt sich nicht anlegen: ${message}`,
	}),
	volumeNotMounted: ({ message }) => ({
		says: `Ein Volume lässt sich nicht einhängen: ${message}`,
		helps: "Fehlt eine ConfigMap oder ein Secret, lege es an: Der Pod macht von selbst weiter.",
	}),
	sandboxFailed: ({ message }) => ({
		says: `Die Sandbox des Pods (Netz und Namespaces) lässt sich nicht anlegen: ${message}`,
	}),
	creating: () => ({ says: "Der Pod hat einen Node; seine Container werden gerade angelegt." }),
	initRunning: ({ container, position, count: all }) => ({
		says: `Init-Container ${container} (${position} von ${all}) läuft noch; die Container des Pods starten, wenn alle sich mit 0 beendet haben.`,
		helps:
			"Worauf er wartet, steht meist in seinem Log. Der DNS-Name eines Pods, der nicht bereit ist, wird nur aufgelöst, wenn sein Service publishNotReadyAddresses: true hat.",
	}),
	initFailing: ({ container }) => ({
		says: `Init-Container ${container} scheitert; darum starten die Container des Pods nicht.`,
	}),
	crashing: ({ container, restarts, exitCode }) => ({
		says: `Container ${container} endet immer wieder: ${count(restarts, "Neustart", "Neustarts")}, zuletzt mit Code ${exitCode}${meaning(exitCode, "")}. Jeder Neustart wartet länger, bis zu 5 Minuten.`,
		helps:
			exitCode === 0
				? "Ein Container dieses Pods darf nicht enden. Für Arbeit, die endet, nimm einen Job."
				: "Das Log des vorigen Versuchs sagt meist, warum.",
	}),
	outOfMemory: ({ container, limit }) => ({
		says: `Container ${container} wurde abgebrochen, weil er mehr Speicher als sein Limit${limit && ` von ${limit}`} belegte.`,
		helps: "Erhöhe resources.limits.memory, oder lass das Programm weniger belegen.",
	}),
	killedByProbe: ({ container, message }) => ({
		says: `Container ${container} wird abgebrochen und neu gestartet, weil seine Probe scheitert: ${message}`,
		helps:
			"Prüfe Port und Pfad der Probe. Ein Programm, das langsam startet, braucht eine startupProbe statt einer längeren initialDelaySeconds.",
	}),
	notStarted: ({ container, message }) => ({
		says: `Container ${container} läuft, aber seine startupProbe war noch nicht erfolgreich${message ? `: ${message}` : "."}`,
		helps: "Er hat failureThreshold × periodSeconds Zeit, bevor er abgebrochen wird.",
	}),
	notReady: ({ container, message }) => ({
		says: `Container ${container} läuft, ist aber nicht bereit${message ? `: ${message}` : "."}`,
		helps:
			"Services schicken ihm nichts, bis seine readinessProbe erfolgreich ist. Prüfe Port und Pfad der Probe und das Log.",
	}),
	readinessGates: ({ gates }) => ({
		says: `Die Container sind bereit, der Pod noch nicht: Ein anderer Controller muss die Bedingungen ${gates} setzen.`,
	}),
	commandNotFound: ({ container, message }) => ({
		says: `Das Programm von Container ${container} lässt sich nicht starten: ${message}`,
		helps: "Prüfe command und args, und ob das Programm im Image ist.",
	}),
	nodeNotReady: ({ node, message }) => ({
		says: `Node ${node} ist nicht bereit${message ? `: ${message}` : "."}`,
		helps: "'cox status' zeigt, ob sein Agent läuft.",
	}),
	nodeCordoned: ({ node }) => ({ says: `Node ${node} ist gesperrt (cordon): Er nimmt keine neuen Pods.` }),
	nodePressure: ({ node, conditions }) => ({
		says: `Node ${node} wird etwas knapp: ${conditions}. Er nimmt keine neuen Pods und verdrängt vielleicht welche.`,
	}),
	nodeFine: ({ node }) => ({ says: `Node ${node} ist bereit und nimmt Pods.` }),
	complete: ({ ready }) => ({ says: `Alles ist, wie es sein soll: ${count(ready, "Pod ist", "Pods sind")} bereit.` }),
	scaledToZero: () => ({ says: "Es ist auf 0 skaliert: Es soll keine Pods geben." }),
	cannotCreate: ({ message }) => ({
		says: `Ein Pod lässt sich nicht anlegen: ${message}`,
		helps: "Lege an, was fehlt, oder berichtige die Vorlage: Der Controller versucht es von selbst wieder.",
	}),
	quotaExceeded: ({ quota, message }) => ({
		says: `Die ResourceQuota ${quota} lässt nicht genug übrig: ${message}`,
		helps: "Erhöhe die Quota, oder schaffe Platz: Fordere weniger an, oder lösche, was nicht mehr gebraucht wird.",
	}),
	quotaNeedsRequests: ({ quota, message }) => ({
		says: `Die ResourceQuota ${quota} zählt etwas, das die Container nicht angeben: ${message}`,
		helps: "Gib in der Vorlage resources.requests und limits an, oder lege einen LimitRange mit Vorgaben an.",
	}),
	notYetObserved: () => ({ says: "Der Controller hat noch nichts damit getan." }),
	waitsForPod: ({ pod, ready, wanted }) => ({
		says: `${ready} von ${wanted} Pods sind bereit; der erste, der es nicht ist, ist ${pod}.`,
	}),
	waitsForEarlierPod: ({ pod, next, ready, wanted }) => ({
		says: `${ready} von ${wanted} Pods sind bereit. ${next} wird erst angelegt, wenn ${pod} bereit ist: Ein StatefulSet startet seine Pods der Reihe nach.`,
		helps: `Bring ${pod} in Ordnung, die anderen folgen. podManagementPolicy: Parallel startet alle zugleich.`,
	}),
	podsNotReady: ({ pods, ready, wanted }) => ({
		says: `${ready} von ${wanted} Pods sind bereit; nicht bereit: ${pods}.`,
	}),
	serviceMissing: ({ service }) => ({
		says: `Seinen headless Service ${service} gibt es nicht: Pods starten auch ohne ihn, haben aber keine DNS-Namen.`,
		helps: `Lege einen Service ${service} an, mit clusterIP: None und den Labels der Pods als Selektor.`,
	}),
	serviceSelectsOthers: ({ service }) => ({
		says: `Sein Service ${service} wählt seine Pods nicht aus: Sie haben keine DNS-Namen.`,
		helps: "Berichtige spec.selector des Service: die Labels aus der Vorlage des StatefulSets.",
	}),
	partition: ({ partition, updated }) => ({
		says: `Die Partition hält das Update zurück: Pods mit Nummer unter ${partition} behalten die alte Vorlage (${updated} bisher erneuert).`,
		helps: "Setze spec.updateStrategy.rollingUpdate.partition auf 0, um alle zu erneuern.",
	}),
	onDelete: ({ outdated }) => ({
		says: `${count(outdated, "Pod hat", "Pods haben")} noch die alte Vorlage: Mit der Strategie OnDelete wird ein Pod erst erneuert, wenn du ihn löschst.`,
	}),
	stuckRevision: ({ pod }) => ({
		says: `${pod} hat eine frühere Vorlage als die jetzige und wird erst ersetzt, wenn er bereit ist – vielleicht nie.`,
		helps: `Lösche ${pod}: Er wird aus der jetzigen Vorlage neu angelegt.`,
	}),
	paused: () => ({ says: "Es ist angehalten (paused): Änderungen der Vorlage werden nicht ausgerollt." }),
	progressDeadline: ({ seconds }) => ({
		says: `Der Rollout ist seit ${seconds} s nicht weitergekommen (ProgressDeadlineExceeded). Er versucht es weiter.`,
		helps: "Berichtige die Vorlage, oder geh zur vorigen Revision zurück.",
	}),
	oldReplicas: ({ count: pods }) => ({
		says: `${count(pods, "Pod", "Pods")} der vorigen Revision laufen weiter, bis neue bereit sind.`,
	}),
	noNodeMatches: ({ label }) => ({
		says: "Kein Node passt: nodeSelector, Affinity oder Tolerations schließen alle aus.",
		helps: `Gib einem Node das Label (kubectl label node NODE ${label || "KEY=WERT"}), oder ändere die Vorlage.`,
	}),
	jobSuspended: () => ({ says: "Der Job ist ausgesetzt: Er hat keine Pods, bis spec.suspend false ist." }),
	jobComplete: ({ succeeded }) => ({
		says: `Der Job ist fertig: ${count(succeeded, "Pod war", "Pods waren")} erfolgreich.`,
	}),
	jobFailed: ({ reason, message }) => ({
		says: `Der Job ist gescheitert${reason && `, Grund ${reason}`}${message && `: ${message}`}`,
		helps: "Ein gescheiterter Job wird nicht wiederholt: Behebe die Ursache, lösche ihn und lege ihn neu an.",
	}),
	jobRetries: ({ failed, limit }) => ({
		says: `${count(failed, "Pod ist", "Pods sind")} gescheitert; nach ${limit} Wiederholungen (backoffLimit) scheitert der Job.`,
	}),
	jobBackingOff: () => ({
		says: "Der nächste Versuch wartet: 10 s nach dem ersten Fehler, dann jedes Mal doppelt so lang, bis zu 6 Minuten.",
	}),
	jobRunning: ({ active, succeeded, wanted }) => ({
		says: `Der Job läuft: ${count(active, "Pod ist", "Pods sind")} aktiv, ${succeeded} von ${wanted} Durchläufen sind fertig.`,
	}),
	cronSuspended: () => ({ says: "Der CronJob ist ausgesetzt: Er startet keine Jobs, bis spec.suspend false ist." }),
	cronInvalid: ({ schedule, message }) => ({
		says: `Der Zeitplan ${JSON.stringify(schedule)} ist nicht lesbar: ${message}`,
	}),
	cronNever: ({ schedule }) => ({
		says: `Der Zeitplan ${JSON.stringify(schedule)} trifft nie ein, wie am 30. Februar.`,
	}),
	cronForbidden: ({ job }) => ({
		says: `Der Job ${job} läuft noch, und concurrencyPolicy Forbid lässt weitere Läufe aus, bis er endet.`,
	}),
	cronMissed: ({ message }) => ({ says: `Ein Lauf fiel aus: ${message}` }),
	cronNext: ({ local, wait, schedule, zone }) => ({
		says: `Der Zeitplan "${schedule}" ist in ${wait} wieder fällig, am ${local} (${zone}).`,
	}),
};

function count(number: number, one: string, many: string): string {
	return `${number} ${number === 1 ? one : many}`;
}

function meaning(exitCode: number, reason: string): string {
	const found = exitMeaning(exitCode);
	if (found === undefined) return reason && reason !== "Error" ? ` (${reason})` : "";
	return ` (${found.signal === undefined ? shellMeanings[found.kind] : `abgebrochen durch ${found.signal}`})`;
}

const shellMeanings = {
	notExecutable: "das Programm ist nicht ausführbar",
	notFound: "das Programm wurde nicht gefunden",
};
