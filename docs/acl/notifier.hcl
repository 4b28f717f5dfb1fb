# The role `notifier`, for the environment `production`. `sluice/notices/events` is written by every process of an engine that has `notify`.

key_prefix "sluice/notices/" {
  policy = "write"
}

# What happens there.
key_prefix "sluice/production/events/" {
  policy = "list"
}
key "sluice/production/deployment" {
  policy = "read"
}
# Whose job it is, why it failed and what to go back to.
key_prefix "sluice/production/status/" {
  policy = "list"
}
# Whose commit it was.
key_prefix "sluice/production/changes/" {
  policy = "read"
}

# Leader election: of the notifier, and of what notes outcomes in Git.
key "sluice/locks/notifier" {
  policy = "write"
}
key "sluice/locks/production/recorder" {
  policy = "write"
}
session_prefix "" {
  policy = "write"
}
