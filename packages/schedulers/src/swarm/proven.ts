import type { Proof } from "@sluice/core";
import type { SwarmClient } from "./client.ts";

/** The client with every write preceded by the proof. */
export function proven(client: SwarmClient, proof: Proof | undefined): SwarmClient {
  if (!proof) return client;
  return {
    ...client,
    create: (spec, signal) => proof().then(() => client.create(spec, signal)),
    update: (service, spec, signal) => proof().then(() => client.update(service, spec, signal)),
    rollback: (service, signal) => proof().then(() => client.rollback(service, signal)),
    remove: (service, signal) => proof().then(() => client.remove(service, signal)),
    createMaterial: (kind, body, signal) => proof().then(() => client.createMaterial(kind, body, signal)),
    removeMaterial: (kind, id, signal) => proof().then(() => client.removeMaterial(kind, id, signal)),
  };
}
