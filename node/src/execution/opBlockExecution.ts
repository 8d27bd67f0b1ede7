import { Account, createAddressFromString } from '@ethereumjs/util';
import { type Fork, includesFork, opPredeploys } from '@openledger/chain-config';
import { bytesToHex } from 'viem';
import { nodeError } from '../errors.ts';
import { DEPOSIT_TYPE } from '../primitives/depositTransaction.ts';
import { EMPTY_TRIE_ROOT, type Header, ZERO_HASH } from '../primitives/header.ts';
import { fromHex } from '../primitives/hex.ts';
import { type L1FeeInfo, logsBloomOf, type Receipt } from '../primitives/receipt.ts';
import type { L2Transaction, SignedL2Transaction } from '../primitives/transaction.ts';
import type { StateView } from '../state/stateStore.ts';
import { BlockExecution, type OpenHeader } from './blockExecution.ts';
import type { BlockVm } from './chainRules.ts';
import { executeDeposit } from './executeDeposit.ts';
import {
  daFootprint,
  type L1FeeParams,
  l1FeeOf,
  operatorFee,
  readL1FeeParams,
  sizeScaledOfTransaction,
} from './l1Cost.ts';

const messagePasser = createAddressFromString(opPredeploys.l2ToL1MessagePasser);

/**
 * A rollup's block (specs/protocol/exec-engine.md and each fork's): deposits first; a signed transaction pays for its data
 * on L1 and, since Isthmus, the operator; base fee, L1 fee and operator fee go to their vaults instead of being burned.
 */
export class OpBlockExecution extends BlockExecution {
  readonly #fork: Fork;
  #daFootprint = 0n;
  #feeParams: L1FeeParams | undefined;

  constructor(view: StateView, vm: BlockVm, header: OpenHeader, fork: Fork) {
    super(view, vm, header);
    this.#fork = fork;
  }

  protected execute(transaction: L2Transaction): Promise<Receipt> {
    return transaction.kind === 'deposit' ? this.#executeDeposit(transaction) : this.#executeSigned(transaction);
  }

  protected async finish() {
    return { withdrawals: [], uncles: [] };
  }

  protected override headerSoFar(): Partial<Header> {
    return {
      ...(includesFork(this.#fork, 'canyon') ? { withdrawalsRoot: ZERO_HASH } : {}),
      ...(includesFork(this.#fork, 'ecotone') ? { blobGasUsed: this.#daFootprint } : {}),
    };
  }

  protected async headerTail(): Promise<Partial<Header>> {
    if (!includesFork(this.#fork, 'canyon')) return {};
    const isthmus = includesFork(this.#fork, 'isthmus');
    const passer = isthmus ? await this.state.getAccount(messagePasser) : undefined;
    return {
      withdrawalsRoot: passer ? bytesToHex(passer.storageRoot) : EMPTY_TRIE_ROOT,
      ...(includesFork(this.#fork, 'ecotone') ? { blobGasUsed: this.#daFootprint } : {}),
    };
  }

  async #executeDeposit({ deposit }: Extract<L2Transaction, { kind: 'deposit' }>): Promise<Receipt> {
    if (this.#feeParams) throw nodeError('DEPOSITS_INVALID', 'a deposit stands behind a signed transaction');
    const regolith = includesFork(this.#fork, 'regolith');
    const metered = regolith || !deposit.isSystemTransaction;
    if (regolith && deposit.isSystemTransaction) {
      throw nodeError('DEPOSITS_INVALID', 'system transactions ended with Regolith');
    }
    if (metered && deposit.gas > this.gasLeft) {
      throw nodeError('DEPOSITS_INVALID', 'deposits exceed the block gas limit', { gas: deposit.gas });
    }
    const outcome = await executeDeposit(this.evm, this.state, this.block, deposit, { regolith });
    this.gasUsed += outcome.gasUsed;
    return {
      type: DEPOSIT_TYPE,
      success: outcome.success,
      gasUsed: outcome.gasUsed,
      cumulativeGasUsed: this.gasUsed,
      effectiveGasPrice: 0n,
      logsBloom: bytesToHex(logsBloomOf(outcome.logs)),
      logs: outcome.logs,
      contractAddress: outcome.contractAddress,
      depositNonce: regolith ? outcome.depositNonce : null,
      depositReceiptVersion: includesFork(this.#fork, 'canyon') ? 1 : null,
      fees: null,
    };
  }

  async #executeSigned(transaction: SignedL2Transaction): Promise<Receipt> {
    const { tx } = transaction;
    this.#feeParams ??= await readL1FeeParams(this.state);
    const params = this.#feeParams;
    const size = sizeScaledOfTransaction(transaction);
    const footprint = daFootprint(this.#fork, size, params);
    if (this.#daFootprint + footprint > this.header.gasLimit) {
      throw nodeError('BLOCK_GAS_EXCEEDED', 'the block has no data availability left', { footprint });
    }
    const { l1Fee, l1GasUsed } = l1FeeOf(this.#fork, fromHex(transaction.raw), params, size);
    const prepaid = l1Fee + operatorFee(this.#fork, tx.gasLimit, params);
    const before = (await this.state.getAccount(createAddressFromString(transaction.from))) ?? new Account();
    if (before.balance < prepaid) {
      throw nodeError('TX_INSUFFICIENT_FUNDS', 'insufficient funds for gas * price + value', {
        balance: before.balance,
      });
    }
    await this.addBalance(transaction.from, -prepaid);
    const result = await this.runSigned(transaction).catch(async (error) => {
      await this.addBalance(transaction.from, prepaid);
      throw error;
    });
    const gasUsed = result.totalGasSpent;
    const paidOperatorFee = operatorFee(this.#fork, gasUsed, params);
    await this.addBalance(transaction.from, prepaid - l1Fee - paidOperatorFee);
    await this.addBalance(opPredeploys.baseFeeVault, gasUsed * (this.header.baseFeePerGas ?? 0n));
    await this.addBalance(opPredeploys.l1FeeVault, l1Fee);
    await this.addBalance(opPredeploys.operatorFeeVault, paidOperatorFee);
    this.#daFootprint += footprint;
    return {
      ...this.receiptOf(transaction, result),
      depositNonce: null,
      depositReceiptVersion: null,
      fees: this.#feeInfo({ l1Fee, l1GasUsed, operatorFee: paidOperatorFee, daFootprint: footprint }, params),
    };
  }

  #feeInfo(
    paid: Pick<L1FeeInfo, 'l1Fee' | 'l1GasUsed' | 'operatorFee' | 'daFootprint'>,
    params: L1FeeParams,
  ): L1FeeInfo {
    const has = (fork: Fork) => includesFork(this.#fork, fork);
    return {
      ...paid,
      l1GasPrice: params.baseFee,
      l1FeeScalar: has('ecotone') ? null : params.scalar,
      l1BlobBaseFee: has('ecotone') ? params.blobBaseFee : null,
      l1BaseFeeScalar: has('ecotone') ? params.baseFeeScalar : null,
      l1BlobBaseFeeScalar: has('ecotone') ? params.blobBaseFeeScalar : null,
      operatorFeeScalar: has('isthmus') ? params.operatorFeeScalar : null,
      operatorFeeConstant: has('isthmus') ? params.operatorFeeConstant : null,
      daFootprintGasScalar: has('jovian') ? params.daFootprintGasScalar : null,
    };
  }
}
