import { type Address, type Hex, toHex } from 'viem';
import { addressOf, type Signer } from './accounts.ts';
import { compile } from './compile.ts';
import { contractAddresses, tokenStorage } from './workloads.ts';

export const CHAIN_ID = 7_331;
export const GAS_LIMIT = 300_000_000n;
const START = 1_700_000_000n;
/** Accounts beside the senders, so that the tries have some depth. */
const BYSTANDERS = 5_000;
const BALANCE = 10n ** 20n;

type GenesisAccount = { readonly balance: Hex; readonly code?: Hex; readonly storage?: Readonly<Record<Hex, Hex>> };

/** A genesis.json of Ethereum at Prague. */
export type GenesisFile = {
  readonly config: Readonly<Record<string, unknown>>;
  readonly gasLimit: Hex;
  readonly alloc: Readonly<Record<Address, GenesisAccount>>;
  readonly [field: string]: unknown;
};

const FORKS = ['homestead', 'eip150', 'eip155', 'eip158', 'byzantium', 'constantinople', 'petersburg'];
const LATER_FORKS = ['istanbul', 'berlin', 'london', 'mergeNetsplit'];

/** 6,004 accounts: senders and bystanders, who all hold the token too, and the four contracts. */
export const makeGenesisFile = (senders: readonly Signer[]): GenesisFile => {
  const code = compile(['Token', 'Recorder', 'Sink', 'Loop']);
  const people = [
    ...senders.map(({ address }) => address),
    ...Array.from({ length: BYSTANDERS }, (_, index) => addressOf(`bystander ${index}`)),
  ];
  const contracts = Object.entries(contractAddresses).map(([name, address]): [Address, GenesisAccount] => [
    address,
    {
      balance: '0x0',
      code: code[name as keyof typeof code],
      ...(name === 'Token' ? { storage: tokenStorage(people, BALANCE) } : {}),
    },
  ]);
  return {
    config: {
      chainId: CHAIN_ID,
      ...Object.fromEntries([...FORKS, ...LATER_FORKS].map((fork) => [`${fork}Block`, 0])),
      terminalTotalDifficulty: 0,
      shanghaiTime: 0,
      cancunTime: 0,
      pragueTime: 0,
    },
    nonce: '0x0',
    timestamp: toHex(START),
    extraData: '0x',
    gasLimit: toHex(GAS_LIMIT),
    difficulty: '0x0',
    mixHash: `0x${'00'.repeat(32)}`,
    coinbase: `0x${'00'.repeat(20)}`,
    baseFeePerGas: toHex(10n ** 9n),
    alloc: {
      ...Object.fromEntries(people.map((address) => [address, { balance: toHex(BALANCE) }])),
      ...Object.fromEntries(contracts),
    },
  };
};
