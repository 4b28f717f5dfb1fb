# The HTTP API, the hooks and the webhooks of the environment "production" under the prefix "sluice".
key_prefix "sluice/production/files/" { policy = "list" }
key "sluice/production/revision" { policy = "read" }
key "sluice/production/deployment" { policy = "read" }
key_prefix "sluice/production/status/" { policy = "list" }
key_prefix "sluice/production/inventory/" { policy = "list" }
key_prefix "sluice/production/events/" { policy = "read" }
key_prefix "sluice/production/control/" { policy = "write" }
