import { describe, expect, it } from 'vitest';
import { logitTolerance, sameQuality } from './tolerances.ts';

describe('tolerances', () => {
  it('are those of the coarser machine, and wide for one that nobody has measured', () => {
    expect(logitTolerance('cpu-float32', 'cpu-float32')).toBe(500);
    expect(logitTolerance('cpu-float32', 'cuda-bfloat16')).toBe(250_000);
    expect(logitTolerance('cuda-float32', 'cpu-float32')).toBe(5_000);
    expect(logitTolerance('abacus-int4', 'cpu-float32')).toBe(250_000);
  });

  it('of losses are shares, of wrong answers a few items', () => {
    expect(sameQuality(1_000_000n, 1_020_000n, false)).toBe(true);
    expect(sameQuality(1_000_000n, 979_999n, false)).toBe(false);
    expect(sameQuality(10_000n, 60_000n, true)).toBe(true);
    expect(sameQuality(10_000n, 60_001n, true)).toBe(false);
  });
});
