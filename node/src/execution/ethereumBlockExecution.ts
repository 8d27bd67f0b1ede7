import { createHash } from 'node:crypto';
import { createAddressFromString } from '@ethereumjs/util';
import { type Address, bytesToHex, concatHex, decodeAbiParameters, type Hex, numberToHex } from 'viem';
import { nodeError } from '../errors.ts';
import type { Withdrawal } from '../primitives/block.ts';
import { encodeWithdrawal } from '../primitives/encodeBlock.ts';
import type { Header } from '../primitives/header.ts';
import type { Receipt } from '../primitives/receipt.ts';
import type { L2Transaction } from '../primitives/transaction.ts';
import { orderedTrieRoot } from '../state/orderedTrieRoot.ts';
import type { StateView } from '../state/stateStore.ts';
import { BlockExecution, type OpenHeader } from './blockExecution.ts';
import type { BlockVm } from './chainRules.ts';

const GWEI = 1_000_000_000n;
const SYSTEM = createAddressFromString('0xfffffffffffffffffffffffffffffffffffffffe');
const SYSTEM_CALL_GAS = 30_000_000n;

/** EIP-7685 request types whose contents a contract gives at the end of a block. */
const requestContracts = [
  { type: 1, eip: 7002, address: '0x00000961ef480eb55e80d19ad83579a64c007002' },
  { type: 2, eip: 7251, address: '0x0000bbddc7ce488642fb579f8b00f3a590007251' },
] as const;
const DEPOSIT_EVENT: Hex = '0x649bbc62d0e31342afea4e5cd82d4049e7e1ee912fc0889aa790803be39038c5';
const MAINNET_DEPOSIT_CONTRACT: Address = '0x00000000219ab540356cbb839cbe05303d7705fa';

/** A block of Ethereum itself: blob gas, block reward before the merge, withdrawals, execution requests. */
export class EthereumBlockExecution extends BlockExecution {
  readonly #withdrawals: readonly Withdrawal[];
  readonly #uncles: readonly Header[];
  readonly #depositContract: Address;
  #blobGasUsed = 0n;
  #requests: Hex[] = [];

  constructor(
    view: StateView,
    vm: BlockVm,
    header: OpenHeader,
    options: { withdrawals: readonly Withdrawal[]; uncles?: readonly Header[]; depositContract?: Address | undefined },
  ) {
    super(view, vm, header);
    this.#withdrawals = options.withdrawals;
    this.#uncles = options.uncles ?? [];
    this.#depositContract = options.depositContract ?? MAINNET_DEPOSIT_CONTRACT;
  }

  protected async execute(transaction: L2Transaction): Promise<Receipt> {
    if (transaction.kind === 'deposit') throw nodeError('TX_TYPE_UNSUPPORTED', 'transaction type not supported');
    const { common } = this.vm;
    const { tx } = transaction;
    const blobGas = 'blobVersionedHashes' in tx ? tx.numBlobs() * Number(common.param('blobGasPerBlob')) : 0;
    if (blobGas > 0 && this.#blobGasUsed + BigInt(blobGas) > common.getBlobGasSchedule().maxBlobGasPerBlock) {
      throw nodeError('BLOCK_GAS_EXCEEDED', 'the block has no blob gas left', { blobGas });
    }
    const result = await this.runSigned(transaction);
    this.#blobGasUsed += BigInt(blobGas);
    const receipt = {
      ...this.receiptOf(transaction, result),
      depositNonce: null,
      depositReceiptVersion: null,
      fees: null,
    };
    if (common.gteHardfork('byzantium')) return receipt;
    await this.state.flush();
    return { ...receipt, postState: bytesToHex(await this.state.getStateRoot()) };
  }

  protected async finish() {
    const { common } = this.vm;
    if (common.consensusType() === 'pow') await this.#payMiners(common.param('minerReward'));
    for (const { address, amount } of this.#withdrawals) await this.addBalance(address, amount * GWEI);
    if (common.isActivatedEIP(7685)) this.#requests = await this.#collectRequests();
    return { withdrawals: this.#withdrawals, uncles: this.#uncles };
  }

  /** Yellow Paper 11.3: an uncle's miner gets an eighth less per block of age, who names it a 32nd of the reward. */
  async #payMiners(reward: bigint): Promise<void> {
    for (const { miner, number } of this.#uncles) {
      await this.addBalance(miner, ((8n - (this.header.number - number)) * reward) / 8n);
    }
    await this.addBalance(this.header.miner, reward + (reward / 32n) * BigInt(this.#uncles.length));
  }

  protected async headerTail(): Promise<Partial<Header>> {
    const { common } = this.vm;
    return {
      ...(common.isActivatedEIP(4895)
        ? { withdrawalsRoot: await orderedTrieRoot(this.#withdrawals.map(encodeWithdrawal)) }
        : {}),
      ...(common.isActivatedEIP(4844) ? { blobGasUsed: this.#blobGasUsed } : {}),
      ...(common.isActivatedEIP(7685) ? { requestsHash: requestsHash(this.#requests) } : {}),
    };
  }

  /** EIP-6110 deposits from logs, EIP-7002 and EIP-7251 by calls of their contracts; each request is type byte and data. */
  async #collectRequests(): Promise<Hex[]> {
    const { common } = this.vm;
    const requests: Hex[] = [];
    if (common.isActivatedEIP(6110)) requests.push(concatHex(['0x00', ...this.#depositRequests()]));
    for (const { type, eip, address } of requestContracts) {
      if (!common.isActivatedEIP(eip)) continue;
      const to = createAddressFromString(address);
      if ((await this.state.getCode(to)).length === 0) continue;
      await this.evm.journal.cleanup();
      const { execResult } = await this.evm.runCall({
        block: this.block,
        caller: SYSTEM,
        to,
        gasLimit: SYSTEM_CALL_GAS,
        gasPrice: 0n,
        skipNonceIncrement: true,
      });
      if (execResult.exceptionError) throw nodeError('BLOCK_INVALID', 'a system call for requests failed', { address });
      await this.evm.journal.cleanup();
      requests.push(concatHex([numberToHex(type, { size: 1 }), bytesToHex(execResult.returnValue)]));
    }
    return requests;
  }

  #depositRequests(): Hex[] {
    const contract = this.#depositContract.toLowerCase();
    return this.receipts
      .flatMap(({ logs }) => logs)
      .filter(({ address, topics }) => address === contract && topics[0] === DEPOSIT_EVENT)
      .map(({ data }) => concatHex(decodeAbiParameters(depositEvent, data) as Hex[]));
  }
}

/** Public key, withdrawal credentials, amount, signature, index. */
const depositEvent = Array.from({ length: 5 }, () => ({ type: 'bytes' }) as const);

const requestsHash = (requests: readonly Hex[]): Hex => {
  const all = createHash('sha256');
  for (const request of requests) {
    if (request.length > 4)
      all.update(
        createHash('sha256')
          .update(Buffer.from(request.slice(2), 'hex'))
          .digest(),
      );
  }
  return `0x${all.digest('hex')}`;
};
