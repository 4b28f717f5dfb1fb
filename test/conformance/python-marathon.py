"""Drives a Marathon with python3-marathon and prints what it saw, one JSON object per line: {"step", "saw"}.

Usage: python-marathon.py ADDRESS
"""

import json
import sys
import threading
import time

from marathon import MarathonClient
from marathon.exceptions import MarathonHttpError
from marathon.models import MarathonApp, MarathonGroup, MarathonHealthCheck
from marathon.models.events import MarathonDeploymentSuccess

DEADLINE = time.monotonic() + 60

client = MarathonClient(sys.argv[1], timeout=10)


def tell(step, saw):
    print(json.dumps({"step": step, "saw": saw}), flush=True)


def until(found):
    while time.monotonic() < DEADLINE:
        value = found()
        if value:
            return value
        time.sleep(0.02)
    raise TimeoutError(found.__name__)


def settled():
    until(lambda: client.list_deployments() == [])


def running(app_id):
    settled()
    return client.get_app(app_id, embed_tasks=True)


def refused(attempt):
    try:
        attempt()
        return None
    except MarathonHttpError as error:
        return [type(error).__name__, error.status_code, error.error_message]


seen = []
attached = threading.Event()


def listen():
    for event in client.event_stream(event_types=["deployment_success", "event_stream_attached"]):
        seen.append(event)
        attached.set()


threading.Thread(target=listen, daemon=True).start()
attached.wait(30)

tell("ping", client.ping().decode())
info = client.get_info()
tell("info", [info.name, info.version, info.elected, info.http_config.http_port])
tell("leader", client.get_leader())

app = client.create_app(
    "/shop/web",
    MarathonApp(
        cmd="serve $PORT",
        cpus=0.1,
        mem=16,
        instances=1,
        labels={"tier": "front"},
        env={"A": "1"},
        constraints=[["hostname", "LIKE", ".*"]],
        health_checks=[MarathonHealthCheck(path="/", protocol="HTTP", port_index=0)],
    ),
)
tell("create", [app.id, app.instances, app.tasks_running, len(app.deployments)])
tell("create again", refused(lambda: client.create_app("/shop/web", MarathonApp(cmd="serve"))))
tell("create wrong", refused(lambda: client.create_app("/shop/wrong", MarathonApp(cmd="serve", mem=-1))))
until(lambda: any(isinstance(event, MarathonDeploymentSuccess) for event in seen))
web = running("/shop/web")
tell("healthy", [web.tasks_running, web.tasks_healthy, web.tasks[0].state, web.tasks[0].health_check_results[0].alive])
tell("list", [one.id for one in client.list_apps(label="tier==front", embed_counts=True)])
tell("list none", [one.id for one in client.list_apps(app_id="nothing")])
tell("missing", refused(lambda: client.get_app("/none")))

client.scale_app("/shop/web", instances=3)
tell("scale", running("/shop/web").tasks_running)
client.scale_app("/shop/web", delta=-1)
tell("scale by", running("/shop/web").tasks_running)

before = web.version
client.update_app("/shop/web", MarathonApp(env={"A": "2"}))
web = running("/shop/web")
tell("update", [web.env, web.version != before, {task.version for task in web.tasks} == {web.version}])
tell("versions", len(client.list_versions("/shop/web")))
tell("version", client.get_version("/shop/web", before).env)
client.rollback_app("/shop/web", before)
tell("rollback", running("/shop/web").env)
client.update_apps([MarathonApp(id="/shop/one", cmd="one"), MarathonApp(id="/shop/two", cmd="two")])
settled()
tell("update many", sorted(one.id for one in client.list_apps()))
client.restart_app("/shop/one")
settled()

tasks = client.list_tasks("/shop/web")
killed = client.kill_task("/shop/web", tasks[0].id)
tell("kill one", killed.id == tasks[0].id)
tell("replaced", until(lambda: running("/shop/web").tasks_running == 1 and tasks[0].id not in [one.id for one in client.list_tasks("/shop/web")]))
tell("kill all", len(client.kill_tasks("/shop/web")))
until(lambda: running("/shop/web").tasks_running == 1)
client.scale_app("/shop/web", instances=2)
settled()
one, two = client.list_tasks("/shop/web")
tell("kill given", client.kill_given_tasks([one.id], scale=True))
web = running("/shop/web")
tell("scaled down", [web.instances, [task.id == two.id for task in web.tasks]])
tell("endpoints", sorted({endpoint.app_id for endpoint in client.list_endpoints()}))

created = client.create_group(
    MarathonGroup(
        id="/depot",
        apps=[MarathonApp(id="back", cmd="back"), MarathonApp(id="front", cmd="front", dependencies=["/depot/back"])],
    )
)
settled()
tell("group", sorted(created))
depot = client.get_group("/depot")
tell("get group", [depot.id, [[one.id, list(one.dependencies)] for one in depot.apps]])
tell("list groups", sorted(one.id for one in client.list_groups()))
client.scale_group("/depot", 2)
settled()
tell("scale group", [one.instances for one in client.get_group("/depot").apps])
client.update_group("/depot", MarathonGroup(apps=[MarathonApp(id="back", cmd="back")]))
settled()
tell("update group", [one.id for one in client.get_group("/depot").apps])
client.delete_group("/depot")
settled()
tell("delete group", refused(lambda: client.get_group("/depot")))

client.create_app("/stuck", MarathonApp(cmd="never", constraints=[["hostname", "CLUSTER", "nowhere"]]))
[deployment] = client.list_deployments()
tell("deployment", [deployment.affected_apps, deployment.total_steps, deployment.current_actions[0].action])
tell("locked", refused(lambda: client.scale_app("/stuck", instances=2)))
try:
    [queued] = client.list_queue(embed_last_unused_offers=True)
    tell("queue", [queued.app.id, queued.count, queued.delay.overdue])
except TypeError as error:  # The client is older than Marathon 1.9 and refuses fields it does not know.
    tell("queue", str(error))
client.reset_delay("/stuck")
tell("cancel", sorted(client.delete_deployment(deployment.id)))
settled()
tell("cancelled", refused(lambda: client.get_app("/stuck")))
client.create_app("/stuck", MarathonApp(cmd="never", constraints=[["hostname", "CLUSTER", "nowhere"]]))
[deployment] = client.list_deployments()
tell("force cancel", client.delete_deployment(deployment.id, force=True))
tell("kept", client.get_app("/stuck").id)

client.delete_app("/stuck")
settled()
for one in client.list_apps():
    client.delete_app(one.id)
settled()
tell("delete", [client.list_apps(), client.list_tasks()])
tell("subscriptions", refused(client.list_event_subscriptions))
tell("events", [type(seen[0]).__name__, len({event.id for event in seen[1:]}) == len(seen) - 1, len(seen) > 10])
tell("abdicate", client.delete_leader())
