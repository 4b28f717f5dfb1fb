# The role `notifier` for the environment "production" under the prefix "sluice".
# What waits to be sent, what was told, and what happened to services that work for the whole engine.
key_prefix "sluice/notices/" { policy = "write" }
# What happens in the environment; whose job it is, why it failed and what to go back to; whose commit it was.
key_prefix "sluice/production/events/" { policy = "list" }
key "sluice/production/deployment" { policy = "read" }
key_prefix "sluice/production/status/" { policy = "list" }
key_prefix "sluice/production/changes/" { policy = "read" }
# Leader election: of the notifier, and of what notes outcomes in Git.
key "sluice/locks/notifier" { policy = "write" }
key "sluice/locks/production/recorder" { policy = "write" }
session_prefix "" { policy = "write" }
