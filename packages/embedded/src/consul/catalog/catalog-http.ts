import { type Answer, ConsulError, json } from "../http/answer.ts";
import { decodeObject } from "../http/go-json.ts";
import { answerCatalog, type ReadContext } from "../http/reads.ts";
import { checkCommonOptions, DATACENTER, type Request } from "../http/request.ts";
import type { Route } from "../http/router.ts";
import type { Store } from "../store/store.ts";
import type { Catalog } from "./catalog.ts";
import { maxIndex, NODES_TOPIC, SERVICES_TOPIC, serviceIndex, serviceTopic } from "./indexes.ts";
import { getNode, listNodes, listServices, serviceInstances } from "./reads.ts";
import { parseDeregistration, parseRegistration } from "./registration.ts";
import type { Node, Service } from "./types.ts";

export interface CatalogContext extends ReadContext {
  store: Store;
  catalog: Catalog;
}

export function catalogRoutes(context: CatalogContext): Route[] {
  return [
    { path: "/v1/catalog/register", methods: { PUT: (request) => register(request, context) } },
    { path: "/v1/catalog/deregister", methods: { PUT: (request) => deregister(request, context) } },
    { path: "/v1/catalog/datacenters", methods: { GET: () => json([DATACENTER]) } },
    { path: "/v1/catalog/nodes", methods: { GET: (request) => nodes(request, context) } },
    { path: "/v1/catalog/node/", methods: { GET: (request) => node(request, context) } },
    { path: "/v1/catalog/services", methods: { GET: (request) => services(request, context) } },
    { path: "/v1/catalog/service/", methods: { GET: (request) => service(request, context) } },
  ];
}

async function register(request: Request, { store, catalog }: CatalogContext): Promise<Answer> {
  checkCommonOptions(request);
  const { node, service, checks } = parseRegistration(decodeObject(request.body));
  await store.write((tx) => {
    if (node.full) catalog.putNode(tx, node.full);
    else if (!getNode(tx, node.name)) throw new ConsulError(500, "Missing node registration");
    if (service) catalog.putService(tx, node.name, service);
    for (const check of checks) catalog.putCheck(tx, check);
  });
  return json(true);
}

async function deregister(request: Request, { store, catalog }: CatalogContext): Promise<Answer> {
  checkCommonOptions(request);
  const { node, serviceId, checkId } = parseDeregistration(decodeObject(request.body));
  await store.write((tx) => {
    if (serviceId) catalog.removeService(tx, node, serviceId);
    else if (checkId) catalog.removeCheck(tx, node, checkId);
    else catalog.removeNode(tx, node);
  });
  return json(true);
}

function nodes(request: Request, context: CatalogContext): Answer | Promise<Answer> {
  const run = () => ({ index: maxIndex(context.read, "nodes"), value: listNodes(context.read) });
  return answerCatalog(request, context, { run, topics: [NODES_TOPIC] });
}

function node(request: Request, context: CatalogContext): Answer | Promise<Answer> {
  if (request.rest === "") throw new ConsulError(400, "Missing node name");
  const run = () => {
    const index = maxIndex(context.read, "nodes", "services");
    const found = getNode(context.read, request.rest);
    if (!found) return { index, value: null };
    const all = listServices(context.read, request.rest).map((one) => [one.ID, shown(one)]);
    return { index, value: { Node: found, Services: Object.fromEntries(all) } };
  };
  return answerCatalog(request, context, { run, topics: [NODES_TOPIC, SERVICES_TOPIC] });
}

function services(request: Request, context: CatalogContext): Answer | Promise<Answer> {
  const run = () => {
    const tags = new Map<string, Set<string>>();
    for (const { Service, Tags } of listServices(context.read)) {
      const known = tags.get(Service) ?? new Set();
      for (const tag of Tags) known.add(tag);
      tags.set(Service, known);
    }
    const value = Object.fromEntries([...tags].map(([name, set]) => [name, [...set]]));
    return { index: maxIndex(context.read, "services"), value };
  };
  return answerCatalog(request, context, { run, topics: [SERVICES_TOPIC] });
}

function service(request: Request, context: CatalogContext): Answer | Promise<Answer> {
  const { rest, query } = request;
  if (rest === "") throw new ConsulError(400, "Missing service name");
  const run = () => {
    const found = taggedInstances(context, rest, query.getAll("tag"));
    return { index: serviceIndex(context.read, rest), value: found.map(catalogEntry) };
  };
  return answerCatalog(request, context, { run, topics: [serviceTopic(rest)] });
}

/** The instances that bear all the tags, with their nodes. */
export function taggedInstances(
  { read }: ReadContext,
  name: string,
  tags: string[],
): { node: Node; service: Service }[] {
  return serviceInstances(read, name).flatMap(({ node: nodeName, service }) => {
    const node = getNode(read, nodeName);
    return node && tags.every((tag) => service.Tags.includes(tag)) ? [{ node, service }] : [];
  });
}

/** A service as the health and node endpoints show it. */
export function shown({ CreateIndex, ModifyIndex, ...service }: Service): object {
  return { ...service, Proxy: NO_PROXY, Connect: {}, CreateIndex, ModifyIndex };
}

const NO_PROXY = { MeshGateway: {}, Expose: {} };

/** A service as `/v1/catalog/service/` shows it: node and service in one object. */
function catalogEntry({ node, service }: { node: Node; service: Service }): object {
  return {
    ID: node.ID,
    Node: node.Node,
    Address: node.Address,
    Datacenter: node.Datacenter,
    TaggedAddresses: node.TaggedAddresses,
    NodeMeta: node.Meta,
    ServiceKind: "",
    ServiceID: service.ID,
    ServiceName: service.Service,
    ServiceTags: service.Tags,
    ServiceAddress: service.Address,
    ...(service.TaggedAddresses ? { ServiceTaggedAddresses: service.TaggedAddresses } : {}),
    ServiceWeights: service.Weights,
    ServiceMeta: service.Meta ?? {},
    ServicePort: service.Port,
    ServiceEnableTagOverride: service.EnableTagOverride,
    ServiceProxy: NO_PROXY,
    ServiceConnect: {},
    CreateIndex: service.CreateIndex,
    ModifyIndex: service.ModifyIndex,
  };
}
