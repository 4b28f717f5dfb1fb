/** Fields of a check that Consul knows; those without a meaning here are accepted and ignored. */
const ANY_CHECK_FIELDS = [
  "Name",
  "Notes",
  "Status",
  "Args",
  "ScriptArgs",
  "HTTP",
  "Header",
  "Method",
  "Body",
  "TCP",
  "Interval",
  "Timeout",
  "TTL",
  "TLSSkipVerify",
  "TLSServerName",
  "DockerContainerID",
  "Shell",
  "GRPC",
  "GRPCUseTLS",
  "AliasNode",
  "AliasService",
  "SuccessBeforePassing",
  "FailuresBeforeCritical",
  "FailuresBeforeWarning",
  "DeregisterCriticalServiceAfter",
  "OutputMaxSize",
];

/** Of a check registered by itself: its id is `ID`. */
export const CHECK_FIELDS: readonly string[] = [...ANY_CHECK_FIELDS, "ID", "ServiceID", "Token"];

/** Of a check registered with its service: its id is `CheckID`. */
export const SERVICE_CHECK_FIELDS: readonly string[] = [...ANY_CHECK_FIELDS, "CheckID"];

/** Fields of a service registration that Consul knows. */
export const SERVICE_FIELDS: readonly string[] = [
  "ID",
  "Name",
  "Kind",
  "Tags",
  "Address",
  "TaggedAddresses",
  "Meta",
  "Port",
  "Check",
  "Checks",
  "Weights",
  "Token",
  "EnableTagOverride",
  "Proxy",
  "Connect",
];
