const NOT_BUILT = "Swarm only runs images: build and push it elsewhere, and name it with `image`";
const RESOURCES = "Swarm ignores it; use deploy.resources";

/** Keys of a service that Compose knows and Swarm ignores or cannot do, and what to do about them. */
export const IGNORED_BY_SWARM: Readonly<Record<string, string>> = {
  build: NOT_BUILT,
  container_name: "Swarm names the containers itself, since there may be several",
  restart: "Swarm ignores it; use deploy.restart_policy",
  scale: "Swarm ignores it; use deploy.replicas",
  ...Object.fromEntries(
    [
      "cpus",
      "cpu_shares",
      "cpu_quota",
      "cpuset",
      "mem_limit",
      "mem_reservation",
      "memswap_limit",
      "pids_limit",
    ].map((key) => [key, RESOURCES]),
  ),
  env_file: "a job file stands alone: write the variables below `environment`",
  extends: "a job file stands alone: use YAML anchors",
  links: "Swarm ignores it; services of a network reach each other by name",
  external_links: "Swarm ignores it; services of a network reach each other by name",
  network_mode: "Swarm ignores it; use networks",
  expose: "Swarm ignores it; services of a network reach all ports of each other",
  profiles: "Swarm ignores it; leave the service out",
  ...Object.fromEntries(
    [
      ...["cgroup_parent", "devices", "domainname", "ipc", "mac_address", "pid", "platform", "privileged"],
      ...[
        "pull_policy",
        "security_opt",
        "shm_size",
        "userns_mode",
        "volumes_from",
        "runtime",
        "group_add",
        "annotations",
      ],
    ].map((key) => [key, "Swarm ignores it; leave it out"]),
  ),
};
