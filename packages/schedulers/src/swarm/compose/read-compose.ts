import {
  isJsonObject,
  type Json,
  type JsonObject,
  jobId,
  jobKey,
  type ParsedJob,
  type TargetName,
  type TextDocument,
} from "@sluice/core";
import { type Complaint, complaintsOf } from "../../format/complaint.ts";
import { firstPerPlace, type ReadDocument } from "../../format/job-file.ts";
import { readOptions } from "../../format/options.ts";
import { listIn, objectIn, without, withoutNulls } from "../../format/reading.ts";
import { declarationRules } from "../declared.ts";
import { serviceRules } from "../service-file.ts";
import { SERVICE_NAME, SERVICE_NAME_WORDS, serviceSchema } from "../service-schema.ts";
import { IGNORED_BY_SWARM } from "./ignored.ts";
import { interpolated } from "./interpolate.ts";
import { composeFile, composeService } from "./schema.ts";
import { dependenciesOf, translated } from "./service.ts";
import { type Stack, stackOf } from "./stack.ts";

/** True for a document that is a Compose file. */
export function isCompose(document: JsonObject): boolean {
  return document.services !== undefined;
}

/**
 * Reads a Compose file: each of its services is a job. What is wrong above the services concerns them all; what is wrong with one
 * leaves out that one.
 */
export function readCompose(document: TextDocument, target: TargetName): ReadDocument {
  const { value, complaints } = interpolated(document.value);
  const file = objectIn(value) ?? {};
  const stack = stackOf(file);
  const shared = [...complaints.filter(({ path }) => path[0] !== "services"), ...fileComplaints(file, stack)];
  const services = Object.entries(objectIn(file.services) ?? {});
  if (services.length === 0 && shared.length === 0)
    shared.push({ path: ["services"], message: "holds no service" });
  const context = { document, target, stack, file };
  const read = services.map(([key, service]) => readService(key, service, context));
  const found = read.flatMap((one) => one.complaints);
  const all = [...shared, ...complaints.filter(({ path }) => path[0] === "services"), ...found];
  const broken = new Set(all.flatMap(({ path }) => (path[0] === "services" ? [String(path[1])] : [])));
  const jobs =
    shared.length > 0 ? [] : read.flatMap(({ key, job }) => (job && !broken.has(key) ? [job] : []));
  return { jobs, complaints: firstPerPlace(all) };
}

interface FileContext {
  readonly document: TextDocument;
  readonly target: TargetName;
  readonly stack: Stack;
  readonly file: JsonObject;
}

interface ReadService {
  readonly key: string;
  readonly job: ParsedJob | undefined;
  readonly complaints: readonly Complaint[];
}

function readService(key: string, given: Json, context: FileContext): ReadService {
  const path = ["services", key];
  const complaints: Complaint[] = [];
  const below = (found: readonly Complaint[]) =>
    complaints.push(...found.map((one) => ({ ...one, path: [...path, ...one.path] })));
  if (!SERVICE_NAME.test(key)) below([{ path: [], message: SERVICE_NAME_WORDS }]);
  if (!isJsonObject(given)) below([{ path: [], message: "must be a mapping" }]);
  const service = withoutExtensions(objectIn(given) ?? {});
  const ignored = Object.keys(service).filter((one) => Object.hasOwn(IGNORED_BY_SWARM, one));
  below(
    ignored.map((one) => ({
      path: [one],
      message: `Swarm does not know "${one}"`,
      hint: IGNORED_BY_SWARM[one] ?? "",
    })),
  );
  below(complaintsOf(composeService, without(service, ...ignored)));
  const options = optionsOf(objectIn(given)?.["x-sluice"], context);
  below(options.complaints);
  if (complaints.length > 0) return { key, job: undefined, complaints };
  const found: Complaint[] = [];
  // A network with nothing behind its key is one to join all the same.
  const whole = { ...(withoutNulls(service) as JsonObject), networks: service.networks ?? null };
  const spec = translated(key, whole, context.stack, found);
  below(found);
  below(composedRules(spec));
  const { document, target, stack } = context;
  const named = dependenciesOf(service);
  const known = objectIn(context.file.services) ?? {};
  const strangers = named.filter(([, name]) => known[name] === undefined);
  below(
    strangers.map(([place, name]) => ({
      path: ["depends_on", place],
      message: `there is no service ${name} in this file`,
    })),
  );
  const after = named.map(([, name]) => jobKey(target, jobId(`${stack.prefix}${name}`)));
  const dependsOn = [...new Set([...options.options.dependsOn, ...after])];
  const id = jobId(`${stack.prefix}${key}`);
  const job = { id, spec, options: { ...options.options, dependsOn }, line: document.locate(path).line };
  return { key, job: complaints.length > 0 ? undefined : job, complaints };
}

/** The rules of a service file, said of the key of the Compose file that the field came from. */
function composedRules(spec: JsonObject): readonly Complaint[] {
  return serviceRules(without(spec, "configs", "secrets")).map(({ path, ...rest }) => {
    const place = path.join(".");
    if (place.startsWith("EndpointSpec")) return { ...rest, path: ["ports"] };
    return { ...rest, path: place.startsWith("Labels") ? ["deploy", "labels"] : ["deploy"] };
  });
}

const STRANGE_KEYS = { sluice: "in a Compose file it is written x-sluice" };

function fileComplaints(file: JsonObject, stack: Stack): Complaint[] {
  const plain = withoutExtensions(file);
  const blocks = ["configs", "secrets", "networks", "volumes"].flatMap((key) => {
    const block = objectIn(plain[key]);
    return block
      ? [[key, Object.fromEntries(Object.entries(block).map(([name, one]) => [name, bare(one)]))] as const]
      : [];
  });
  return [
    ...complaintsOf(composeFile, { ...plain, ...Object.fromEntries(blocks) }, STRANGE_KEYS),
    ...declarationRules("configs", stack.declared("configs"), ""),
    ...declarationRules("secrets", stack.declared("secrets"), ""),
  ];
}

function bare(one: Json): Json {
  return isJsonObject(one) ? withoutExtensions(one) : one;
}

/** Keys that begin with `x-` are free for anybody. */
function withoutExtensions(object: JsonObject): JsonObject {
  const plain = Object.fromEntries(Object.entries(object).filter(([key]) => !key.startsWith("x-")));
  return isJsonObject(plain.deploy ?? null)
    ? { ...plain, deploy: withoutExtensions(objectIn(plain.deploy) ?? {}) }
    : plain;
}

/** What the service says over what the file says for all its services. */
function optionsOf(own: Json | undefined, { file, target }: FileContext) {
  const block = { ...objectIn(file["x-sluice"]), ...objectIn(own) };
  const ignore = listIn(block.ignore).map((path) => (typeof path === "string" ? nativePath(path) : path));
  const given =
    own !== undefined && own !== null && !isJsonObject(own)
      ? own
      : { ...block, ...(block.ignore ? { ignore } : {}) };
  const { options, complaints } = readOptions(given, target, Object.keys(serviceSchema.shape));
  return {
    options,
    complaints: complaints.map(({ path, ...rest }) => ({ ...rest, path: ["x-sluice", ...path.slice(1)] })),
  };
}

const CONTAINER = "TaskTemplate.ContainerSpec";
/** Fields that are left to others, as Compose calls them. */
const NATIVE_PATHS: readonly (readonly [string, string])[] = [
  ["deploy.replicas", "Mode.Replicated.Replicas"],
  ["deploy.labels", "Labels"],
  ["deploy.resources", "TaskTemplate.Resources"],
  ["deploy.placement", "TaskTemplate.Placement"],
  ["deploy.update_config", "UpdateConfig"],
  ["image", `${CONTAINER}.Image`],
  ["environment", `${CONTAINER}.Env`],
  ["labels", `${CONTAINER}.Labels`],
  ["ports", "EndpointSpec.Ports"],
];

function nativePath(path: string): string {
  for (const [compose, native] of NATIVE_PATHS)
    if (path === compose || path.startsWith(`${compose}.`)) return native + path.slice(compose.length);
  return path;
}
