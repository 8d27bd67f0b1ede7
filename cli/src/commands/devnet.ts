import { DEVNET_MNEMONIC } from '@openledger/chain-config';
import {
  type ConfigOf,
  type ConfigTable,
  createLogger,
  describeError,
  parseBoolean,
  parseInteger,
  parseText,
} from '@openledger/kit';
import { type Devnet, startDevnet } from '../devnet/startDevnet.ts';
import { defineCommand } from '../options.ts';
import type { WalkthroughReport } from '../walkthrough/playWalkthrough.ts';
import { runUntilStopped } from './runUntilStopped.ts';

const devnetConfig = {
  dataDir: {
    flag: 'data-dir',
    description: 'folder of everything; a second start goes on there',
    parse: parseText,
    default: '.openledger/devnet',
  },
  portOffset: { flag: 'port-offset', description: 'added to all ports', parse: parseInteger(0, 50_000), default: 0 },
  walkthrough: {
    flag: 'walkthrough',
    description: 'play the walkthrough (--no-walkthrough: only the network)',
    parse: parseBoolean,
    default: true,
  },
  exit: {
    flag: 'exit',
    description: 'end after the walkthrough, with 0 when every step held',
    parse: parseBoolean,
    default: false,
  },
} satisfies ConfigTable;

const say = (line: string): void => console.log(line);

/** `openledger devnet`, which is `npm start`. */
const run = async (config: ConfigOf<typeof devnetConfig>): Promise<void> => {
  const log = createLogger({ name: 'devnet', level: 'warn' });
  say('OpenLedger devnet');
  const devnet = await startDevnet({ dataDir: config.dataDir, portOffset: config.portOffset, log, say });
  say(`accounts: mnemonic "${DEVNET_MNEMONIC}" (dev chains only)\n`);
  const failed = devnet.failed.then((reason) => {
    console.error(reason);
    return new Error(reason);
  });
  if (config.walkthrough) {
    const report = await Promise.race([play(devnet), failed]);
    if (config.exit || report instanceof Error) {
      await devnet.close();
      if (report instanceof Error || !report.ok) process.exitCode = 1;
      if (!(report instanceof Error)) console.log(JSON.stringify(report));
      return;
    }
    say(`\n${JSON.stringify(report)}`);
  } else if (config.exit) {
    await devnet.close();
    return;
  } else {
    devnet.runnerReady.then(
      () => say(`runner (OpenAI-compatible) at ${devnet.urls.runner}/v1`),
      (error) => console.error(describeError(error)),
    );
  }
  say('\nRunning. Ctrl-C stops everything.');
  await runUntilStopped({ close: devnet.close, failed }, log);
};

/** Loaded late: the network is up sooner without it. */
const play = async (devnet: Devnet): Promise<WalkthroughReport> => {
  const { playWalkthrough } = await import('../walkthrough/playWalkthrough.ts');
  return playWalkthrough(devnet, say);
};

export const command = defineCommand('a whole network on this machine, with the walkthrough', devnetConfig, run);
