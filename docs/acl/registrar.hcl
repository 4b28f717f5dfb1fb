# The role `registrar`, on each machine that runs containers.

service_prefix "" {
  policy = "write"
}

# To read the agent's own services and checks.
node_prefix "" {
  policy = "read"
}
agent_prefix "" {
  policy = "read"
}
