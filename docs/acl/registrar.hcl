# The role `registrar`, on each machine that runs containers. It needs nothing of the KV.
service_prefix "" { policy = "write" }
