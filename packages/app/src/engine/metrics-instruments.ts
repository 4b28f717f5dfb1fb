import { Counter, Gauge, Histogram, type Registry } from "prom-client";

/** Makes instruments of one registry whose names begin alike. Labels come after the help text. */
export interface Instruments {
  counter(name: string, help: string, ...labels: string[]): Counter;
  gauge(name: string, help: string, ...labels: string[]): Gauge;
  /** In seconds. */
  histogram(name: string, help: string, buckets: readonly number[], ...labels: string[]): Histogram;
}

/** @param prefix before each name, after `sluice_`: `router_`. */
export function instruments(registry: Registry, prefix: string): Instruments {
  const of = (name: string, help: string, labelNames: string[]) => ({
    name: `sluice_${prefix}${name}`,
    help,
    labelNames,
    registers: [registry],
  });
  return {
    counter: (name, help, ...labels) => new Counter(of(name, help, labels)),
    gauge: (name, help, ...labels) => new Gauge(of(name, help, labels)),
    histogram: (name, help, buckets, ...labels) =>
      new Histogram({ ...of(name, help, labels), buckets: [...buckets] }),
  };
}
