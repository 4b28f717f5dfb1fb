import type { Container } from "../container.ts";

/** A running container without ports, but for what is said of it. */
export function containerWith(more: Partial<Container>): Container {
  return {
    id: "a".repeat(64),
    name: "web-1",
    image: "web",
    running: true,
    networkMode: "bridge",
    networks: new Map([["bridge", "172.17.0.2"]]),
    ports: [],
    environment: new Map(),
    labels: new Map(),
    health: "none",
    ...more,
  };
}
