import { connect } from 'node:net';

export const REDIS = process.env.OPENLEDGER_TEST_REDIS_URL ?? 'redis://127.0.0.1:6379';

/** Fails where services are required, so that nothing is skipped unseen. */
export const hasRedis = async (): Promise<boolean> => {
  const { hostname, port } = new URL(REDIS);
  const answers = await new Promise<boolean>((resolve) => {
    const socket = connect(Number(port || 6379), hostname, () => resolve(true));
    socket.once('connect', () => socket.destroy());
    socket.once('error', () => resolve(false));
  });
  if (!answers && process.env.OPENLEDGER_REQUIRE_SERVICES === '1') throw new Error(`no Redis at ${REDIS}`);
  return answers;
};
