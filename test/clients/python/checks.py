"""What programs do with Kubernetes' Python client (Debian's python3-kubernetes). Each check prints its name when it holds."""

import base64
import json
import os
import sys
import tempfile
import threading
import time

from kubernetes import client, config, dynamic, utils, watch
from kubernetes.client.rest import ApiException
from kubernetes.leaderelection import electionconfig, leaderelection
from kubernetes.leaderelection.resourcelock.configmaplock import ConfigMapLock
from kubernetes.stream import portforward, stream

ROUNDS = int(sys.argv[1])
config.load_kube_config()
core = client.CoreV1Api()
apps = client.AppsV1Api()
batch = client.BatchV1Api()
namespace = "python"

PAGE = "import http.server as h\nh.HTTPServer(('', 8080), h.SimpleHTTPRequestHandler).serve_forever()"


def pod(name, script, **spec):
    container = {"name": "main", "image": "busybox", "command": ["sh", "-c", script], **spec.pop("container", {})}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "labels": {"app": name}},
        "spec": {"terminationGracePeriodSeconds": 0, "containers": [container], **spec},
    }


def until(what, condition, seconds=60):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain: " + what
        time.sleep(0.05)


def running(name):
    seen = watch.Watch()
    for event in seen.stream(
        core.list_namespaced_pod, namespace, field_selector="metadata.name=" + name, timeout_seconds=60
    ):
        if event["object"].status.phase == "Running" and event["object"].status.container_statuses[0].ready:
            seen.stop()
            return
    raise AssertionError(name + " does not run")


def connected(method, name, **options):
    defaults = {"stderr": True, "stdin": False, "stdout": True, "tty": False}
    return stream(method, name, namespace, **{**defaults, **options})


def check_pods_are_watched():
    core.create_namespace({"metadata": {"name": namespace}})
    until(
        "service account",
        lambda: any(a.metadata.name == "default" for a in core.list_namespaced_service_account(namespace).items),
    )
    script = "echo one; echo two; echo three >&2; trap 'exit 0' TERM; while :; do sleep 0.1; done"
    core.create_namespaced_pod(namespace, pod("lines", script))
    running("lines")


def check_exec_ends_with_all_output():
    for number in range(ROUNDS):
        output = connected(core.connect_get_namespaced_pod_exec, "lines", command=["sh", "-c", "echo out; echo err >&2"])
        assert sorted(output.split()) == ["err", "out"], (number, output)


def check_exec_has_standard_input_and_an_exit_code():
    run = connected(
        core.connect_get_namespaced_pod_exec, "lines", command=["sh"], stdin=True, _preload_content=False
    )
    run.write_stdin("echo hello; exit 7\n")
    run.run_forever(timeout=30)
    assert run.read_stdout().strip() == "hello"
    assert run.returncode == 7, run.returncode


def check_exec_that_fails_says_so():
    try:
        connected(core.connect_get_namespaced_pod_exec, "nobody", command=["true"])
    except ApiException as error:
        assert error.status == 404 or "404" in str(error.reason), error
    else:
        raise AssertionError("no error")


def check_logs_with_every_option():
    read = core.read_namespaced_pod_log
    until("logs", lambda: len(read("lines", namespace).split()) == 3)
    assert sorted(read("lines", namespace).split()) == ["one", "three", "two"]
    assert len(read("lines", namespace, tail_lines=1).split()) == 1
    assert read("lines", namespace, limit_bytes=3) == "one"
    assert len(read("lines", namespace, timestamps=True).split("\n")[0].split(" ")) == 2
    assert len(read("lines", namespace, since_seconds=3600).split()) == 3
    assert len(read("lines", namespace, container="main", pretty=True).split()) == 3
    try:
        read("lines", namespace, previous=True)
    except ApiException as error:
        assert error.status == 400, error
    lines = read("lines", namespace, follow=True, _preload_content=False).stream()
    text = b""
    for part in lines:
        text += part
        if text.count(b"\n") == 3:
            break
    followed = watch.Watch()
    first = []
    for line in followed.stream(read, "lines", namespace):
        first.append(line)
        if len(first) == 3:
            followed.stop()
    assert sorted(first) == ["one", "three", "two"], first


def check_attach_sees_what_is_written():
    core.create_namespaced_pod(namespace, pod("echo", "cat", container={"stdin": True}))
    running("echo")
    attached = connected(core.connect_get_namespaced_pod_attach, "echo", stdin=True, _preload_content=False)
    attached.write_stdin("seen\n")
    until("echo", lambda: attached.update(timeout=1) or "seen" in attached.peek_stdout())
    attached.close()


def check_ports_are_forwarded():
    container = {"command": ["python3", "-c", PAGE], "workingDir": "/etc/ssl"}
    probe = {"tcpSocket": {"port": 8080}, "periodSeconds": 1}
    core.create_namespaced_pod(namespace, pod("web", "", container={**container, "readinessProbe": probe}))
    running("web")
    forward = portforward(core.connect_get_namespaced_pod_portforward, "web", namespace, ports="8080")
    connection = forward.socket(8080)
    connection.setblocking(True)
    connection.sendall(b"GET / HTTP/1.0\r\n\r\n")
    answer = b""
    while True:
        part = connection.recv(4096)
        if not part:
            break
        answer += part
    assert b"200 OK" in answer, answer
    assert forward.error(8080) is None, forward.error(8080)
    refused = portforward(core.connect_get_namespaced_pod_portforward, "web", namespace, ports="8081")
    closed = refused.socket(8081)
    closed.setblocking(True)
    assert closed.recv(10) == b""
    assert refused.error(8081) is not None


def check_a_watch_goes_on_from_a_version():
    version = core.list_namespaced_config_map(namespace).metadata.resource_version
    core.create_namespaced_config_map(namespace, {"metadata": {"name": "seen"}, "data": {"a": "1"}})
    core.patch_namespaced_config_map("seen", namespace, {"data": {"a": "2"}})
    core.delete_namespaced_config_map("seen", namespace)
    changes = watch.Watch()
    types = []
    for event in changes.stream(
        core.list_namespaced_config_map, namespace, resource_version=version, timeout_seconds=30
    ):
        types.append(event["type"])
        if event["type"] == "DELETED":
            changes.stop()
    assert types == ["ADDED", "MODIFIED", "DELETED"], types
    try:
        for _ in watch.Watch().stream(
            core.list_namespaced_config_map, namespace, resource_version="1", timeout_seconds=5
        ):
            pass
    except ApiException as error:
        assert error.status == 410, error


def check_the_dynamic_client_finds_kinds():
    one = dynamic.DynamicClient(client.ApiClient())
    maps = one.resources.get(api_version="v1", kind="ConfigMap")
    maps.create(namespace=namespace, body={"metadata": {"name": "dynamic"}, "data": {"a": "1"}})
    maps.patch(
        name="dynamic", namespace=namespace, body={"data": {"b": "2"}}, content_type="application/merge-patch+json"
    )
    applied = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "dynamic"}, "data": {"c": "3"}}
    maps.server_side_apply(name="dynamic", namespace=namespace, body=json.dumps(applied), field_manager="python")
    assert maps.get(name="dynamic", namespace=namespace).to_dict()["data"] == {"a": "1", "b": "2", "c": "3"}
    assert len(maps.get(namespace=namespace, label_selector="none=here").items) == 0
    for event in maps.watch(namespace=namespace, timeout=20, name="dynamic"):
        assert event["type"] == "ADDED"
        break
    maps.delete(name="dynamic", namespace=namespace)
    deployments = one.resources.get(api_version="apps/v1", kind="Deployment")
    assert deployments.subresources["scale"] is not None
    assert one.resources.get(api_version="v1", kind="Node").namespaced is False
    one.version


def check_dependents_are_orphaned_when_asked():
    body = {
        "metadata": {"name": "orphans"},
        "spec": {
            "replicas": 1,
            "selector": {"matchLabels": {"app": "orphans"}},
            "template": {"metadata": {"labels": {"app": "orphans"}}, "spec": pod("x", "sleep 1000")["spec"]},
        },
    }
    apps.create_namespaced_deployment(namespace, body)
    sets = lambda: apps.list_namespaced_replica_set(namespace, label_selector="app=orphans").items
    until("replica set", sets)
    apps.delete_namespaced_deployment("orphans", namespace, orphan_dependents=True)
    until("no deployment", lambda: not apps.list_namespaced_deployment(namespace).items)
    until("orphan", lambda: not sets()[0].metadata.owner_references)
    apps.delete_namespaced_replica_set(sets()[0].metadata.name, namespace, propagation_policy="Foreground")


def check_files_are_created_from_yaml():
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
        file.write("apiVersion: batch/v1\nkind: Job\nmetadata: {name: made}\nspec:\n  template:\n    spec:\n")
        file.write("      restartPolicy: Never\n      containers: [{name: c, image: busybox, command: ['true']}]\n")
        file.flush()
        utils.create_from_yaml(client.ApiClient(), file.name, namespace=namespace)
    until("job", lambda: (batch.read_namespaced_job_status("made", namespace).status.succeeded or 0) == 1)


def check_secrets_and_other_forms_come_back():
    data = base64.b64encode(b"\x00\xff").decode()
    core.create_namespaced_secret(namespace, client.V1Secret(metadata={"name": "bytes"}, data={"b": data}))
    assert core.read_namespaced_secret("bytes", namespace).data == {"b": data}
    scale = apps.create_namespaced_deployment(
        namespace,
        {
            "metadata": {"name": "scaled"},
            "spec": {
                "replicas": 0,
                "selector": {"matchLabels": {"app": "s"}},
                "template": {
                    "metadata": {"labels": {"app": "s"}},
                    "spec": {"containers": [{"name": "c", "image": "nginx"}]},
                },
            },
        },
    )
    assert scale.spec.replicas == 0
    patched = apps.patch_namespaced_deployment_scale("scaled", namespace, [{"op": "replace", "path": "/spec/replicas", "value": 0}])
    assert patched.spec.replicas == 0
    page = core.list_namespaced_pod(namespace, limit=1)
    assert len(page.items) == 1
    rest = core.list_namespaced_pod(namespace, _continue=page.metadata._continue) if page.metadata._continue else page
    assert rest.items
    version = client.VersionApi().get_code()
    assert version.major == "1"
    reviews = client.AuthorizationV1Api()
    review = {"spec": {"resourceAttributes": {"namespace": namespace, "verb": "create", "resource": "pods"}}}
    assert reviews.create_self_subject_access_review(review).status.allowed


def check_one_of_two_leads():
    led = []
    stop = threading.Event()

    def candidate(name):
        def lead():
            led.append(name)
            stop.wait(20)

        lock = ConfigMapLock("leader", namespace, name)
        settings = electionconfig.Config(
            lock, lease_duration=4, renew_deadline=3, retry_period=1.2, onstarted_leading=lead, onstopped_leading=None
        )
        threading.Thread(target=leaderelection.LeaderElection(settings).run, daemon=True).start()

    candidate("one")
    until("a leader", lambda: led == ["one"])
    candidate("two")
    time.sleep(1)
    assert led == ["one"], led
    stop.set()


for name, check in list(globals().items()):
    if name.startswith("check_"):
        check()
        print(name.removeprefix("check_").replace("_", " "), flush=True)
# Threads of the election go on for ever.
os._exit(0)
