import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { influenceOfReport, MAX_REPORT_BYTES, priorRoot } from '../src/index.ts';

const prior = [
  { contribution_id: '9', weight: 65_535 },
  { contribution_id: '10', weight: 0 },
];
const weights = new Map(prior.map(({ contribution_id, weight }) => [contribution_id, weight]));
const influence = { lambda_bps: 2_500, root: priorRoot(weights), prior };
const weighing = { lambdaBps: 2_500, root: influence.root, prior: weights };
const read = (text: string) => influenceOfReport(new TextEncoder().encode(text));

describe('influenceOfReport', () => {
  it('reads how influence weighs', () => {
    expect(read(JSON.stringify({ job: '1', influence }))).toEqual(weighing);
    expect(read(JSON.stringify({ job: '1' }))).toBeUndefined();
  });

  it('leaves the pay to evidence alone where it is malformed', () => {
    const wrong: unknown[] = [
      { ...influence, lambda_bps: 10_000 },
      { ...influence, lambda_bps: -1 },
      { ...influence, lambda_bps: '2500' },
      { ...influence, root: '00'.repeat(32) },
      { ...influence, prior: [...prior, prior[0]] },
      { ...influence, prior: [{ contribution_id: '9', weight: 65_536 }] },
      { ...influence, prior: [{ contribution_id: '09', weight: 1 }] },
      { ...influence, prior: [null] },
      { ...influence, prior: 'all' },
      'all',
      null,
    ];
    for (const one of wrong) expect(read(JSON.stringify({ influence: one }))).toBeUndefined();
    for (const text of ['', 'null', '[]', '{', '"influence"', '7']) expect(read(text)).toBeUndefined();
    expect(influenceOfReport(Uint8Array.of(0xff, 0xfe))).toBeUndefined();
    const padded = JSON.stringify({ influence }).padEnd(MAX_REPORT_BYTES);
    expect([read(padded), read(`${padded} `)]).toEqual([weighing, undefined]);
    fc.assert(
      fc.property(fc.json(), (text) => {
        expect(read(`{"influence":${text}}`)).toBeUndefined();
      }),
    );
  });
});
