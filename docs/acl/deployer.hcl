# The deployer of the environment "production" under the prefix "sluice".
key_prefix "sluice/production/files/" { policy = "list" }
key "sluice/production/revision" { policy = "read" }
key_prefix "sluice/production/changes/" { policy = "read" }
key_prefix "sluice/production/control/" { policy = "read" }
key "sluice/production/deployment" { policy = "write" }
key_prefix "sluice/production/status/" { policy = "write" }
key_prefix "sluice/production/inventory/" { policy = "write" }
key "sluice/production/events/deployer" { policy = "write" }
key "sluice/locks/production/deployer" { policy = "write" }
session_prefix "" { policy = "write" }
