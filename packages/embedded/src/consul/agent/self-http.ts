import { json } from "../http/answer.ts";
import { DATACENTER } from "../http/request.ts";
import type { Route } from "../http/router.ts";

/** The release whose API this server follows; clients read from it how many operations a transaction may have. */
export const VERSION = "1.22.0";

export interface Self {
  nodeName: string;
  nodeId: string;
  host: string;
  port(): number;
}

/** Who the server is. It leads itself, and no one else is a member. */
export function selfRoutes(self: Self): Route[] {
  const leader = () => `${self.host}:${self.port()}`;
  return [
    {
      path: "/v1/agent/self",
      methods: { GET: () => json({ Config: config(self), Member: member(self), Meta: {} }) },
    },
    { path: "/v1/agent/members", methods: { GET: () => json([member(self)]) } },
    { path: "/v1/status/leader", methods: { GET: () => json(leader()) } },
    { path: "/v1/status/peers", methods: { GET: () => json([leader()]) } },
  ];
}

function config({ nodeName, nodeId }: Self): object {
  return {
    Datacenter: DATACENTER,
    NodeName: nodeName,
    NodeID: nodeId,
    Revision: "embedded",
    Server: true,
    Version: VERSION,
  };
}

function member({ nodeName, nodeId, host, port }: Self): object {
  return {
    Name: nodeName,
    Addr: host,
    Port: port(),
    Tags: { build: `${VERSION}:embedded`, dc: DATACENTER, id: nodeId, port: String(port()), role: "consul" },
    Status: 1,
    ProtocolMin: 1,
    ProtocolMax: 5,
    ProtocolCur: 2,
    DelegateMin: 2,
    DelegateMax: 5,
    DelegateCur: 4,
  };
}
