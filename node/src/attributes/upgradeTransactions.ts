import { readFileSync } from 'node:fs';
import {
  activatesKarst,
  type Fork,
  isForkActive,
  opPredeploys,
  type RollupConfig,
  systemAddresses,
  type UpgradeBundle,
} from '@openledger/chain-config';
import { type Address, concatHex, type Hex, keccak256, numberToHex, pad, stringToBytes, zeroAddress } from 'viem';
import { nodeError } from '../errors.ts';
import type { DepositTransaction } from '../primitives/depositTransaction.ts';

type Upgrade = {
  /** What the source hash is made of. */
  readonly intent: string;
  readonly from: Address;
  readonly to: Address | null;
  readonly gas: bigint;
  data(): Hex;
};

const UPGRADE_DOMAIN = 2;
const UPGRADE_TO: Hex = '0x3659cfe6';

/** Creation code as specs/static/bytecode publishes it. */
const bytecode = (name: string) => (): Hex =>
  readFileSync(new URL(`./bytecode/${name}.hex`, import.meta.url), 'utf8').trim() as Hex;

const deploy = (intent: string, from: Address, gas: bigint, data: () => Hex): Upgrade => ({
  intent,
  from,
  to: null,
  gas,
  data,
});
/** `upgradeTo(implementation)` by the zero address, which every proxy takes for an admin. */
const upgradeProxy = (intent: string, to: Address, implementation: Address): Upgrade => ({
  intent,
  from: zeroAddress,
  to,
  gas: 50_000n,
  data: () => concatHex([UPGRADE_TO, pad(implementation, { size: 32 })]),
});
const enable = (intent: string, gas: bigint, selector: Hex): Upgrade => ({
  intent,
  from: systemAddresses.depositor,
  to: opPredeploys.gasPriceOracle,
  gas,
  data: () => selector,
});

const { l1Block, gasPriceOracle, operatorFeeVault } = opPredeploys;
/** Senders of deployments are numbered through all forks, so that each has nonce 0. */
const deployer = (index: number): Address =>
  `0x42100000000000000000000000000000000000${index.toString(16).padStart(2, '0')}`;

const EIP4788_CODE: Hex =
  '0x60618060095f395ff33373fffffffffffffffffffffffffffffffffffffffe14604d57602036146024575f5ffd5b5f35801560495762001fff810690815414603c575f5ffd5b62001fff01545f5260205ff35b5f5ffd5b62001fff42064281555f359062001fff015500';
const EIP2935_CODE: Hex =
  '0x60538060095f395ff33373fffffffffffffffffffffffffffffffffffffffe14604657602036036042575f35600143038111604257611fff81430311604257611fff9006545f5260205ff35b5f5ffd5b5f35611fff60014303065500';

/** By fork, in block order (ecotone, fjord, isthmus and jovian/derivation.md, network upgrade transactions). */
const upgrades: Readonly<Partial<Record<Fork, readonly Upgrade[]>>> = {
  ecotone: [
    deploy('Ecotone: L1 Block Deployment', deployer(0), 375_000n, bytecode('ecotone-l1Block')),
    deploy('Ecotone: Gas Price Oracle Deployment', deployer(1), 1_000_000n, bytecode('ecotone-gasPriceOracle')),
    upgradeProxy('Ecotone: L1 Block Proxy Update', l1Block, '0x07dbe8500fc591d1852b76fee44d5a05e13097ff'),
    upgradeProxy(
      'Ecotone: Gas Price Oracle Proxy Update',
      gasPriceOracle,
      '0xb528d11cc114e026f138fe568744c6d45ce6da7a',
    ),
    enable('Ecotone: Gas Price Oracle Set Ecotone', 80_000n, '0x22b90ab3'),
    deploy(
      'Ecotone: beacon block roots contract deployment',
      '0x0b799c86a49deeb90402691f1041aa3af2d3c875',
      250_000n,
      () => EIP4788_CODE,
    ),
  ],
  fjord: [
    deploy('Fjord: Gas Price Oracle Deployment', deployer(2), 1_450_000n, bytecode('fjord-gasPriceOracle')),
    upgradeProxy('Fjord: Gas Price Oracle Proxy Update', gasPriceOracle, '0xa919894851548179a0750865e7974da599c0fac7'),
    enable('Fjord: Gas Price Oracle Set Fjord', 90_000n, '0x8e98b106'),
  ],
  isthmus: [
    deploy('Isthmus: L1 Block Deployment', deployer(3), 425_000n, bytecode('isthmus-l1Block')),
    deploy('Isthmus: Gas Price Oracle Deployment', deployer(4), 1_625_000n, bytecode('isthmus-gasPriceOracle')),
    deploy('Isthmus: Operator Fee Vault Deployment', deployer(5), 500_000n, bytecode('isthmus-operatorFeeVault')),
    upgradeProxy('Isthmus: L1 Block Proxy Update', l1Block, '0xff256497d61dcd71a9e9ff43967c13fde1f72d12'),
    upgradeProxy(
      'Isthmus: Gas Price Oracle Proxy Update',
      gasPriceOracle,
      '0x93e57a196454cb919193fa9946f14943cf733845',
    ),
    upgradeProxy(
      'Isthmus: Operator Fee Vault Proxy Update',
      operatorFeeVault,
      '0x4fa2be8cd41504037f1838bce3bcc93bc68ff537',
    ),
    enable('Isthmus: Gas Price Oracle Set Isthmus', 90_000n, '0x291b0383'),
    deploy(
      'Isthmus: EIP-2935 Contract Deployment',
      '0x3462413af4609098e1e27a490f554f260213d685',
      250_000n,
      () => EIP2935_CODE,
    ),
  ],
  jovian: [
    deploy('Jovian: L1 Block Deployment', deployer(6), 447_315n, bytecode('jovian-l1Block')),
    upgradeProxy('Jovian: L1 Block Proxy Update', l1Block, '0x3ba4007f5c922fbb33c454b41ea7a1f11e83df2c'),
    deploy('Jovian: Gas Price Oracle Deployment', deployer(7), 1_750_714n, bytecode('jovian-gasPriceOracle')),
    upgradeProxy('Jovian: Gas Price Oracle Proxy Update', gasPriceOracle, '0x4f1db3c6abd250ba86e0928471a8f7db3afd88f1'),
    enable('Jovian: Gas Price Oracle Set Jovian', 90_000n, '0xb3d72079'),
  ],
};

/** keccak256(domain ++ keccak256(intent)): see deposits.md, source hash computation. */
const upgradeSourceHash = (intent: string): Hex =>
  keccak256(concatHex([numberToHex(UPGRADE_DOMAIN, { size: 32 }), keccak256(stringToBytes(intent))]));

/** A fork's transactions, whenever it activates; none for forks that change no contracts, nor for Karst, whose are a bundle. */
export const upgradeTransactionsOf = (fork: Fork): DepositTransaction[] =>
  (upgrades[fork] ?? []).map(({ data, ...upgrade }) => toDeposit({ ...upgrade, data: data() }));

const toDeposit = (given: Omit<Upgrade, 'data'> & { readonly data: Hex }): DepositTransaction => ({
  sourceHash: upgradeSourceHash(given.intent),
  from: given.from,
  to: given.to,
  mint: 0n,
  value: 0n,
  gas: given.gas,
  isSystemTransaction: false,
  data: given.data,
});

/** Since Karst an intent is told with its fork and place. */
const bundleTransactions = (name: string, bundle: UpgradeBundle): DepositTransaction[] =>
  bundle.map(({ intent, gasLimit, ...rest }, index) =>
    toDeposit({ ...rest, intent: `${name} ${index}: ${intent}`, gas: gasLimit }),
  );

/**
 * The deposits that follow the user deposits in the first block of each fork; none for a fork that is active at genesis, whose
 * contracts the genesis state has. Times in seconds.
 * @throws UPGRADE_UNKNOWN for Karst without its bundle
 */
export const upgradeTransactions = (
  config: Pick<RollupConfig, 'forks' | 'karstBundle'>,
  parentTimestamp: bigint,
  timestamp: bigint,
): DepositTransaction[] => {
  const activates = (fork: Fork) =>
    isForkActive(config.forks, fork, timestamp) && !isForkActive(config.forks, fork, parentTimestamp);
  const older = (['ecotone', 'fjord', 'isthmus', 'jovian'] as const).filter(activates).flatMap(upgradeTransactionsOf);
  if (!activatesKarst(config, parentTimestamp, timestamp)) return older;
  if (!config.karstBundle) {
    throw nodeError('UPGRADE_UNKNOWN', 'Karst begins, and its upgrade transactions were not given', { timestamp });
  }
  return [...older, ...bundleTransactions('Karst', config.karstBundle)];
};
