import { Counter, Gauge, Histogram, Registry } from 'prom-client';

export type Metrics = {
  registry: Registry;
  counter(name: string, help: string, labels?: readonly string[]): Counter<string>;
  gauge(name: string, help: string, labels?: readonly string[]): Gauge<string>;
  /** Buckets in the unit that the name says, seconds by default. */
  histogram(name: string, help: string, buckets?: number[], labels?: readonly string[]): Histogram<string>;
};

const secondsBuckets = [0.001, 0.005, 0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** One registry per process part; names are `<prefix>_<name>`. */
export const createMetrics = (prefix: string): Metrics => {
  const registry = new Registry();
  const registers = [registry];
  return {
    registry,
    counter: (name, help, labelNames = []) => new Counter({ name: `${prefix}_${name}`, help, labelNames, registers }),
    gauge: (name, help, labelNames = []) => new Gauge({ name: `${prefix}_${name}`, help, labelNames, registers }),
    histogram: (name, help, buckets = secondsBuckets, labelNames = []) =>
      new Histogram({ name: `${prefix}_${name}`, help, buckets, labelNames, registers }),
  };
};
