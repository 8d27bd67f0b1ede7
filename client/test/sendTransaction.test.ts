import { randomBytes } from 'node:crypto';
import { datanetsAbi, datanetsBytecode } from '@openledger/contracts';
import { type Address, createTestClient, defineChain, http, parseEventLogs } from 'viem';
import { mnemonicToAccount } from 'viem/accounts';
import { anvil } from 'viem/chains';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startAnvil } from '../../contracts/test/support/anvil.ts';
import {
  type Call,
  ContractRefusedError,
  createOpenLedgerClient,
  type OpenLedgerClient,
  sendTransaction,
  sha256Hex,
} from '../src/index.ts';

const account = (addressIndex: number) =>
  mnemonicToAccount('test test test test test test test test test test test junk', { addressIndex });

describe('sendTransaction', () => {
  let stop: () => Promise<void>;
  let owner: OpenLedgerClient;
  let reviewer: OpenLedgerClient;
  let datanets: Address;
  let contributionId: bigint;
  const testClient = () => createTestClient({ mode: 'anvil', chain: owner.wallet.chain, transport: http() });

  const call = (functionName: string, ...args: unknown[]): Call => ({
    address: datanets,
    abi: datanetsAbi,
    functionName,
    args,
  });
  const accept = () => call('accept', contributionId, 100, 0n);
  /** As `client`, but without asking what a transaction needs; `then` runs once it was handed over. */
  const afterHandover = (client: OpenLedgerClient, then: () => Promise<void>): OpenLedgerClient => ({
    ...client,
    wallet: {
      ...client.wallet,
      writeContract: (async (request: object) => {
        const hash = await client.wallet.writeContract({ ...request, gas: 1_000_000n } as never);
        await then();
        return hash;
      }) as OpenLedgerClient['wallet']['writeContract'],
    },
  });

  beforeAll(async () => {
    const process = await startAnvil();
    stop = process.stop;
    const chain = defineChain({ ...anvil, rpcUrls: { default: { http: [process.url] } } });
    owner = createOpenLedgerClient({ chain, account: account(0), pollingInterval: 20 });
    reviewer = createOpenLedgerClient({ chain, account: account(1), pollingInterval: 20 });
    const hash = await owner.wallet.deployContract({ abi: datanetsAbi, bytecode: datanetsBytecode });
    datanets = (await owner.public.waitForTransactionReceipt({ hash })).contractAddress as Address;
    await sendTransaction(owner, call('createDatanet', 'poems', 0, ''));
    await sendTransaction(owner, call('setReviewer', 1n, account(1).address, true));
  });
  beforeEach(async () => {
    const { logs } = await sendTransaction(owner, call('submit', 1n, sha256Hex(randomBytes(8)), 3, 10, 'a.txt'));
    const [submitted] = parseEventLogs({ abi: datanetsAbi, eventName: 'ContributionSubmitted', logs });
    contributionId = submitted?.args.contributionId ?? 0n;
  });
  afterAll(() => stop());

  it('returns the receipt of what was mined', async () => {
    const receipt = await sendTransaction(owner, accept());
    expect(receipt.status).toBe('success');
    const [accepted] = parseEventLogs({ abi: datanetsAbi, eventName: 'ContributionAccepted', logs: receipt.logs });
    expect(accepted?.args).toMatchObject({ contributionId, reviewer: account(0).address, score: 100 });
  });

  it.each([
    ['TextTooLong', [129n, 128n], () => call('createDatanet', 'x'.repeat(129), 0, '')],
    ['UnknownContribution', [99n], () => call('accept', 99n, 1, 0n)],
  ])('tells a refusal by the contract’s error %s before anything is sent', async (errorName, args, refused) => {
    const nonce = () => owner.public.getTransactionCount({ address: account(0).address });
    const before = await nonce();
    const failure = await sendTransaction(owner, refused()).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(ContractRefusedError);
    expect(failure).toMatchObject({ code: 'TRANSACTION_REVERTED', errorName, args });
    expect(String(failure)).toContain(`was refused: ${errorName}(${args.join(', ')})`);
    expect(await nonce()).toBe(before);
  });

  it('tells a refusal without a name', async () => {
    const payable = { ...call('createDatanet', 'x', 0, ''), value: 1n };
    await expect(sendTransaction(owner, payable)).rejects.toMatchObject({ code: 'TRANSACTION_REVERTED' });
  });

  it('tells that a transaction was refused in its block, others having been faster', async () => {
    const chain = testClient();
    await chain.setAutomine(false);
    try {
      await reviewer.wallet.writeContract({ ...accept(), gas: 1_000_000n } as never);
      const slower = afterHandover(owner, () => chain.mine({ blocks: 1 }));
      await expect(sendTransaction(slower, accept())).rejects.toMatchObject({
        code: 'TRANSACTION_REVERTED',
        errorName: 'reverted in block',
        args: [expect.stringMatching(/^0x[0-9a-f]{64}$/)],
      });
    } finally {
      await chain.mine({ blocks: 1 });
      await chain.setAutomine(true);
    }
  });

  it('tells a refusal by its name that comes between simulation and sending', async () => {
    const late: OpenLedgerClient = {
      ...owner,
      public: {
        ...owner.public,
        simulateContract: (async (request: never) => {
          const simulated = await owner.public.simulateContract(request);
          await sendTransaction(reviewer, accept());
          return simulated;
        }) as never,
      },
    };
    await expect(sendTransaction(late, accept())).rejects.toMatchObject({ errorName: 'AlreadyDecided' });
  });

  it('throws what is no refusal as it is', async () => {
    const nobody = defineChain({ ...anvil, rpcUrls: { default: { http: ['http://127.0.0.1:9'] } } });
    const failure = await sendTransaction(
      createOpenLedgerClient({ chain: nobody, account: account(0) }),
      accept(),
    ).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(Error);
    expect(failure).not.toBeInstanceOf(ContractRefusedError);
  });
});
