import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { printableUrl } from './log.ts';
import { createMetrics } from './metrics.ts';

describe('printableUrl', () => {
  it.each([
    ['http://127.0.0.1:8545', 'http://127.0.0.1:8545'],
    ['https://user:pass@rpc.example/v1', 'https://rpc.example/v1'],
    ['https://rpc.example/v2/abcdefghij0123456789', 'https://rpc.example/v2/***'],
    ['https://rpc.example/?key=secret#secret', 'https://rpc.example'],
    ['postgres://openledger:hunter2@db:5432/views', 'postgres://db:5432/views'],
    ['not a url with secret', '[unparsable url]'],
  ])('%s', (url, printed) => expect(printableUrl(url)).toBe(printed));
});

describe('createLogger', () => {
  const script = `
    import { createLogger } from ${JSON.stringify(new URL('./log.ts', import.meta.url).href)};
    const log = createLogger({ name: 'unit', level: 'info' });
    log.info({ privateKey: '0xdead', nested: { password: 'hunter2', mnemonic: 'test junk' }, port: 1 }, 'up');
    log.debug('not shown');
    log.child({ part: 'rpc' }).warn({ token: 'tok' }, 'careful');
  `;
  const run = spawnSync(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script], {
    encoding: 'utf8',
  });
  const lines = run.stderr
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);

  it('writes JSON lines to stderr and leaves stdout to results', () => {
    expect(run.stdout).toBe('');
    expect(lines.map((line) => line.msg)).toEqual(['up', 'careful']);
    expect(lines[1]).toMatchObject({ name: 'unit', part: 'rpc' });
  });

  it('redacts secrets in the first two levels', () => {
    expect(run.stderr).not.toMatch(/0xdead|hunter2|junk|"tok"/);
    expect(lines[0]).toMatchObject({ privateKey: '[redacted]', nested: { password: '[redacted]' }, port: 1 });
  });
});

describe('createMetrics', () => {
  it('prefixes names and renders what was counted', async () => {
    const metrics = createMetrics('openledger_test');
    metrics.counter('requests_total', 'Requests', ['kind']).inc({ kind: 'a' }, 2);
    metrics.gauge('size', 'Size').set(3);
    metrics.histogram('wait_seconds', 'Wait').observe(0.02);
    const text = await metrics.registry.metrics();
    expect(text).toContain('openledger_test_requests_total{kind="a"} 2');
    expect(text).toContain('openledger_test_size 3');
    expect(text).toContain('openledger_test_wait_seconds_bucket{le="0.05"} 1');
  });
});
