import { type Metrics, sleep } from '@openledger/kit';
import type { Engine } from '../engine/engineProcess.ts';
import type { Generated } from '../serving/generator.ts';

const STATS_TIMEOUT_MS = 1_000;
const tokenBuckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5];

type Stats = {
  bases: readonly {
    running: number;
    waiting: number;
    tokens_per_second: number;
    adapters: {
      registered: number;
      resident: number;
      host: number;
      host_bytes: number;
      evictions: number;
      cold_loads: { count: number; p50_micros: number; p95_micros: number };
    };
  }[];
};

/** One answer under way: told of each piece of text, and how it ended. */
export type AnswerClock = { piece(): void; ended(outcome: string, generated?: Generated): void };

export type ServingMetrics = {
  start(endpoint: string): AnswerClock;
  /** Asks the engine what is resident. An engine that doesn't answer leaves the last figures in place. */
  refresh(engine: Engine): Promise<void>;
};

export const createServingMetrics = (metrics: Metrics): ServingMetrics => {
  const served = metrics.counter('completions_total', 'Completions served', ['endpoint']);
  const requests = metrics.counter('requests_total', 'Requests for text by HTTP status', ['endpoint', 'status']);
  const tokens = metrics.counter('tokens_total', 'Tokens', ['kind']);
  const firstToken = metrics.histogram('time_to_first_token_seconds', 'From the request to the first text');
  const between = metrics.histogram('inter_token_latency_seconds', 'Between two pieces of text', tokenBuckets);
  const gauge = (name: string, help: string) => metrics.gauge(name, help);
  const gauges = {
    running: gauge('running_requests', 'Rows of the running batches'),
    waiting: gauge('waiting_requests', 'Requests that wait for a row'),
    rate: gauge('output_tokens_per_second', 'Tokens of the last ten seconds'),
    registered: gauge('adapters_registered', 'Adapters that can be asked for'),
    resident: gauge('adapters_resident', 'Adapters on the device'),
    host: gauge('adapters_host', 'Adapters in main memory'),
    hostBytes: gauge('adapters_host_bytes', 'Their bytes'),
    evictions: gauge('adapter_evictions', 'Adapters evicted from the device since the engine started'),
    coldLoads: gauge('adapter_cold_loads', 'Adapters loaded from disk since the engine started'),
  };
  const coldLoadSeconds = metrics.gauge('adapter_cold_load_seconds', 'From disk to the device', ['quantile']);

  const show = ({ bases }: Stats): void => {
    const sum = (figure: (base: Stats['bases'][number]) => number) =>
      bases.reduce((all, base) => all + figure(base), 0);
    gauges.running.set(sum(({ running }) => running));
    gauges.waiting.set(sum(({ waiting }) => waiting));
    gauges.rate.set(sum((base) => base.tokens_per_second));
    gauges.registered.set(sum(({ adapters }) => adapters.registered));
    gauges.resident.set(sum(({ adapters }) => adapters.resident));
    gauges.host.set(sum(({ adapters }) => adapters.host));
    gauges.hostBytes.set(sum(({ adapters }) => adapters.host_bytes));
    gauges.evictions.set(sum(({ adapters }) => adapters.evictions));
    gauges.coldLoads.set(sum(({ adapters }) => adapters.cold_loads.count));
    const slowest = (figure: 'p50_micros' | 'p95_micros') =>
      Math.max(0, ...bases.map(({ adapters }) => adapters.cold_loads[figure])) / 1e6;
    coldLoadSeconds.set({ quantile: '0.5' }, slowest('p50_micros'));
    coldLoadSeconds.set({ quantile: '0.95' }, slowest('p95_micros'));
  };

  return {
    start: (endpoint) => {
      const began = performance.now();
      let last: number | undefined;
      return {
        piece: () => {
          const now = performance.now();
          if (last === undefined) firstToken.observe((now - began) / 1_000);
          else between.observe((now - last) / 1_000);
          last = now;
        },
        ended: (status, generated) => {
          requests.inc({ endpoint, status });
          if (!generated) return;
          served.inc({ endpoint });
          tokens.inc({ kind: 'prompt' }, generated.prompt_tokens);
          tokens.inc({ kind: 'output' }, generated.completion_tokens);
        },
      };
    },
    refresh: async (engine) => {
      const stats = engine.request<Stats>('serving_stats', {}).catch(() => undefined);
      const told = await Promise.race([stats, sleep(STATS_TIMEOUT_MS)]);
      if (told) show(told);
    },
  };
};
