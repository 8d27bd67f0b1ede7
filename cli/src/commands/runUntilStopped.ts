import type { Logger } from '@openledger/kit';

/** Keeps a process alive until SIGINT or SIGTERM (or until `failed` says why it can't go on), then closes it. Sets the exit code. */
export const runUntilStopped = async (
  part: { close(): Promise<void>; failed?: Promise<Error> },
  log: Logger,
): Promise<void> => {
  const stopped = new Promise<'signal'>((resolve) => {
    process.once('SIGINT', () => resolve('signal'));
    process.once('SIGTERM', () => resolve('signal'));
    // A child whose supervisor is gone (its stdin ends) must not stay behind.
    if (process.env.OPENLEDGER_SUPERVISED === '1') process.stdin.resume().once('end', () => resolve('signal'));
  });
  const outcome = await Promise.race([stopped, ...(part.failed ? [part.failed] : [])]);
  if (outcome !== 'signal') process.exitCode = 1;
  log.info({ reason: outcome === 'signal' ? 'signal' : outcome.message }, 'closing');
  await part.close();
  process.stdin.pause();
  process.stdin.unref?.();
};
