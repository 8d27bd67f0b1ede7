import { spawn } from 'node:child_process';
import { anvilBinary } from '@openledger/cli/anvil';

const FIXED = ['--port', '0', '--hardfork', 'prague', '--no-mining', '--order', 'fifo', '--no-request-size-limit'];
/** Nothing in its state but the genesis file. */
const BARE = ['--accounts', '0', '--disable-default-create2-deployer'];

/** Anvil on a free port, ready when this returns. */
export const startAnvilProcess = async (
  flags: readonly string[],
): Promise<{ readonly url: string; stop(): Promise<void> }> => {
  const child = spawn(anvilBinary(), [...FIXED, ...BARE, ...flags], { stdio: ['ignore', 'pipe', 'pipe'] });
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  // A benchmark that fails must not leave its peer behind.
  const kill = () => child.kill('SIGKILL');
  process.once('exit', kill);
  const url = await new Promise<string>((resolve, reject) => {
    let output = '';
    const onData = (chunk: Buffer) => {
      output += chunk.toString();
      const address = /Listening on (\S+)/.exec(output)?.[1];
      if (address) resolve(`http://${address}`);
    };
    child.stdout.on('data', onData);
    child.stderr.on('data', onData);
    child.once('exit', (code) => reject(new Error(`anvil exited with ${code}: ${output}`)));
  });
  child.stdout.removeAllListeners('data').resume();
  child.stderr.removeAllListeners('data').resume();
  return {
    url,
    stop: async () => {
      process.removeListener('exit', kill);
      child.kill('SIGTERM');
      await exited;
    },
  };
};
