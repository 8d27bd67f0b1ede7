import { forks } from '@openledger/chain-config';
import { numberToHex } from 'viem';
import { type Genesis, newChainHeader } from './genesisBlock.ts';

/** Ethereum's forks before the L2 forks: by block, all at genesis. */
const BLOCK_FORKS = [
  'homesteadBlock',
  'eip150Block',
  'eip155Block',
  'eip158Block',
  'byzantiumBlock',
  'constantinopleBlock',
  'petersburgBlock',
  'istanbulBlock',
  'muirGlacierBlock',
  'berlinBlock',
  'londonBlock',
  'arrowGlacierBlock',
  'grayGlacierBlock',
  'mergeNetsplitBlock',
  'bedrockBlock',
];

/** The L1 fork that each L2 fork brings along. */
const L1_FORKS = { canyon: 'shanghaiTime', ecotone: 'cancunTime', isthmus: 'pragueTime' } as const;

/** A genesis.json that op-geth takes, and `readGethGenesis`. */
export const writeGethGenesis = (genesis: Genesis): string => {
  const { config, timestamp, alloc } = genesis;
  const header = genesis.header ?? newChainHeader(genesis);
  const times: Record<string, number> = {};
  for (const fork of forks) {
    const time = config.forks[fork];
    if (time === undefined || fork === 'bedrock') continue;
    times[`${fork}Time`] = Number(time);
    if (fork in L1_FORKS) times[L1_FORKS[fork as keyof typeof L1_FORKS]] = Number(time);
  }
  return JSON.stringify({
    config: {
      chainId: config.l2ChainId,
      ...Object.fromEntries(BLOCK_FORKS.map((name) => [name, 0])),
      terminalTotalDifficulty: 0,
      terminalTotalDifficultyPassed: true,
      ...times,
      optimism: {
        eip1559Elasticity: config.eip1559.elasticity,
        eip1559Denominator: config.eip1559.denominator,
        eip1559DenominatorCanyon: config.eip1559.denominatorCanyon,
      },
    },
    nonce: numberToHex(BigInt(header.nonce)),
    timestamp: numberToHex(timestamp),
    extraData: header.extraData,
    gasLimit: numberToHex(header.gasLimit),
    difficulty: numberToHex(header.difficulty),
    mixHash: header.mixHash,
    coinbase: header.coinbase,
    number: numberToHex(header.number),
    gasUsed: numberToHex(header.gasUsed),
    parentHash: header.parentHash,
    ...(header.baseFeePerGas === undefined ? {} : { baseFeePerGas: numberToHex(header.baseFeePerGas) }),
    alloc: Object.fromEntries(
      Object.entries(alloc).map(([address, { balance, nonce, code, storage }]) => [
        address.slice(2),
        {
          balance: numberToHex(balance),
          ...(nonce > 0n && { nonce: numberToHex(nonce) }),
          ...(code !== '0x' && { code }),
          ...(Object.keys(storage).length > 0 && { storage }),
        },
      ]),
    ),
  });
};
