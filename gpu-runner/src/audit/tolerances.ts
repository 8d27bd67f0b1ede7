/**
 * How far logits of one model may be apart on two machines, in millionths, by kind of device and precision (docs/audits.md).
 * Batches of other shapes move fp32 logits by up to 5 millionths on a CPU; the rest leaves room for other instruction sets.
 */
const LOGIT_MICROS: Readonly<Record<string, number>> = {
  'cpu-float32': 500,
  'cuda-float32': 5_000,
  'cuda-bfloat16': 250_000,
  'cuda-float16': 50_000,
};
const UNKNOWN_MICROS = 250_000;

/** The tolerance of the coarser one. */
export const logitTolerance = (theirs: string, ours: string): number =>
  Math.max(LOGIT_MICROS[theirs] ?? UNKNOWN_MICROS, LOGIT_MICROS[ours] ?? UNKNOWN_MICROS);

/** Share by which losses of two trainings on different machines may differ, in basis points. */
const LOSS_BPS = 200n;
/** Difference of shares of wrong answers, in millionths: a few items of a suite. */
const ERROR_MICROS = 50_000n;

/** Whether two trainings came to the same in a suite: losses in micro-nats, or shares of wrong answers in millionths. */
export const sameQuality = (theirs: bigint, ours: bigint, isError: boolean): boolean => {
  const apart = theirs > ours ? theirs - ours : ours - theirs;
  return isError ? apart <= ERROR_MICROS : apart * 10_000n <= LOSS_BPS * theirs;
};
