import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DEVNET_MNEMONIC } from '@openledger/chain-config';
import { depositOpen } from '@openledger/cli/depositOpen';
import { startDevnet } from '@openledger/cli/devnet';
import { contracts } from '@openledger/client';
import { createLogger, sleep } from '@openledger/kit';
import {
  type Address,
  createPublicClient,
  createWalletClient,
  defineChain,
  type HDAccount,
  type Hex,
  http,
  parseEther,
} from 'viem';
import { mnemonicToAccount } from 'viem/accounts';
import { rpc } from './sendRaw.ts';

export type LaneNetwork = {
  readonly l2: string;
  readonly graphql: string;
  readonly chainId: number;
  /** Bonded, with money; none of the devnet's own roles. */
  readonly runners: readonly HDAccount[];
  /** Bridges money to accounts; returns when it is there. */
  fund(receivers: readonly Address[]): Promise<void>;
  close(): Promise<void>;
};

const PORT_OFFSET = 12_300;
const FIRST_ACCOUNT = 20;

/** L1, node, batcher and views, each a process of its own, and `count` bonded runners. */
export const startLaneNetwork = async (options: {
  runners: number;
  databaseUrl: string | undefined;
}): Promise<LaneNetwork> => {
  const dataDir = mkdtempSync(join(tmpdir(), 'openledger-lane-'));
  const devnet = await startDevnet({
    dataDir,
    portOffset: PORT_OFFSET,
    log: createLogger({ name: 'lane', level: 'warn' }),
    say: () => {},
    without: ['proposer', 'runner'],
    databaseUrl: options.databaseUrl,
  });
  const chainId = devnet.chain.genesis.config.l2ChainId;
  const runners = Array.from({ length: options.runners }, (_, index) =>
    mnemonicToAccount(DEVNET_MNEMONIC, { addressIndex: FIRST_ACCOUNT + index }),
  );
  const fund = async (receivers: readonly Address[]) => {
    await depositOpen(
      devnet,
      receivers.map((receiver) => [receiver, parseEther('1000')]),
    );
    const last = receivers.at(-1);
    while (last && BigInt(await rpc<Hex>(devnet.urls.l2, 'eth_getBalance', [last, 'latest'])) === 0n) await sleep(100);
  };
  await fund(runners.map(({ address }) => address));
  await bondAll(devnet.urls.l2, chainId, runners);
  return {
    l2: devnet.urls.l2,
    graphql: devnet.urls.graphql,
    chainId,
    runners,
    fund,
    close: async () => {
      await devnet.close();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
};

const bondAll = async (url: string, id: number, runners: readonly HDAccount[]): Promise<void> => {
  const nativeCurrency = { name: 'OPEN', symbol: 'OPEN', decimals: 18 };
  const chain = defineChain({ id, name: 'lane', nativeCurrency, rpcUrls: { default: { http: [url] } } });
  const reader = createPublicClient({ chain, transport: http(), pollingInterval: 100 });
  const bond = { ...contracts.staking, functionName: 'bond', value: parseEther('10') } as const;
  for (const account of runners) {
    const hash = await createWalletClient({ account, chain, transport: http() }).writeContract(bond);
    await reader.waitForTransactionReceipt({ hash });
  }
};
