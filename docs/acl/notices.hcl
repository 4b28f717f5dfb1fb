# For every process whose configuration has `notify`, whatever its roles: what it tells of builds, containers and load balancers.
key "sluice/notices/events/engine" { policy = "write" }
