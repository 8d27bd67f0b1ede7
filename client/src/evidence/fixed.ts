/** floor(log2(value) * 65536), up to the truncation of 31-bit squaring: evidence-0, section 3. `value` is at least 1. */
export const log2 = (value: bigint): number => {
  const whole = value.toString(2).length - 1;
  let mantissa = (value << 31n) >> BigInt(whole);
  let fraction = 0;
  for (let i = 0; i < 16; i++) {
    mantissa = (mantissa * mantissa) >> 31n;
    fraction *= 2;
    if (mantissa >> 32n) {
      mantissa >>= 1n;
      fraction += 1;
    }
  }
  return whole * 65536 + fraction;
};

/**
 * Splits `total` in proportion to `scores`: floors, then one more each by largest remainder, the first among equals. The
 * parts sum to `total`, or are all 0 when every score is.
 */
export const shareOut = (total: bigint, scores: readonly bigint[]): bigint[] => {
  const whole = scores.reduce((sum, score) => sum + score, 0n);
  if (whole === 0n) return scores.map(() => 0n);
  const shares = scores.map((score, place) => ({
    place,
    part: (score * total) / whole,
    remainder: (score * total) % whole,
  }));
  const rest = Number(total - shares.reduce((sum, { part }) => sum + part, 0n));
  const byRemainder = shares.toSorted((a, b) => Number(b.remainder > a.remainder) - Number(b.remainder < a.remainder));
  const raised = new Set(byRemainder.slice(0, rest).map(({ place }) => place));
  return shares.map(({ part, place }) => part + (raised.has(place) ? 1n : 0n));
};
