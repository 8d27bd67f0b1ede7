import { headerRlp } from '@openledger/contracts';
import { fromRlp, type Hex, keccak256, type PublicClient, toRlp, zeroHash } from 'viem';
import { privateKeyToAccount } from 'viem/accounts';
import { describe, expect, it } from 'vitest';
import { auditAccessSigner, auditOpening, drawOf, signAuditAccess } from '../src/index.ts';

const CHAIN_ID = 16120;
const auditor = privateKeyToAccount(`0x${'11'.repeat(32)}`);
const message = { outputId: `0x${'ab'.repeat(32)}`, deadline: 1_700_000_000n } as const;

describe('a wish to see what an output was made from', () => {
  it('names who signed it', async () => {
    const access = await signAuditAccess(auditor, CHAIN_ID, message);
    expect(access).toMatchObject(message);
    expect(await auditAccessSigner(CHAIN_ID, access)).toBe(auditor.address);
  });

  it.each([
    ['another output', { outputId: zeroHash }, CHAIN_ID],
    ['a later deadline', { deadline: 1_700_000_001n }, CHAIN_ID],
    ['another chain', {}, 1],
  ])('names somebody else for %s', async (_name, changes, chainId) => {
    const access = await signAuditAccess(auditor, CHAIN_ID, message);
    expect(await auditAccessSigner(chainId, { ...access, ...changes })).not.toBe(auditor.address);
  });

  it('has a signature in the one form', async () => {
    const access = await signAuditAccess(auditor, CHAIN_ID, message);
    const signature = access.signature.slice(0, 66) as Hex;
    await expect(auditAccessSigner(CHAIN_ID, { ...access, signature })).rejects.toBeInstanceOf(TypeError);
    const { signTypedData: _none, ...watchOnly } = auditor;
    await expect(signAuditAccess(watchOnly as never, CHAIN_ID, message)).rejects.toThrow('typed data');
  });
});

describe('the draw', () => {
  it('takes nothing at a rate of zero and everything at the whole', () => {
    const rates = { inferenceRateBps: 0, trainingRateBps: 10_000 };
    for (let i = 0; i < 50; i++) {
      const outputId = keccak256(`0x${i.toString(16).padStart(2, '0')}`);
      expect(drawOf(outputId, 1, zeroHash, rates)).toBe(true);
      for (const kind of [2, 3]) expect(drawOf(outputId, kind, zeroHash, rates)).toBe(false);
    }
  });
});

const word = (digit: string): Hex => `0x${digit.repeat(64)}`;
/** A block of the Prague fork, as nodes tell it. */
const fields = {
  parentHash: word('1'),
  sha3Uncles: word('2'),
  miner: `0x${'3'.repeat(40)}`,
  stateRoot: word('4'),
  transactionsRoot: word('5'),
  receiptsRoot: word('6'),
  logsBloom: `0x${'00'.repeat(256)}`,
  difficulty: '0x0',
  number: '0x80',
  gasLimit: '0x3938700',
  gasUsed: '0x0',
  timestamp: '0x65000000',
  extraData: '0x00000000fa00000006',
  mixHash: word('0'),
  nonce: '0x0000000000000000',
  baseFeePerGas: '0x7',
  withdrawalsRoot: word('7'),
  blobGasUsed: '0x0',
  excessBlobGas: '0x0',
  parentBeaconBlockRoot: word('8'),
  requestsHash: word('9'),
} as const;
const numbers = [
  'difficulty',
  'number',
  'gasLimit',
  'gasUsed',
  'timestamp',
  'baseFeePerGas',
  'blobGasUsed',
  'excessBlobGas',
];
const minimal = (quantity: string): Hex =>
  quantity === '0x0' ? '0x' : `0x${quantity.length % 2 === 0 ? '' : '0'}${quantity.slice(2)}`;
const rlpOf = (block: Readonly<Record<string, string>>): Hex =>
  toRlp(Object.entries(block).map(([name, value]) => (numbers.includes(name) ? minimal(value) : (value as Hex))));

describe('a header', () => {
  it('is written as the chain hashes it, of this fork and of older ones', () => {
    const names = Object.keys(fields);
    for (const length of [15, 16, 17, 20, 21]) {
      const block = Object.fromEntries(Object.entries(fields).slice(0, length));
      const rlp = headerRlp({ ...block, hash: keccak256(rlpOf(block)), transactions: [], size: '0x1' });
      expect(rlp).toBe(rlpOf(block));
      expect(fromRlp(rlp)).toHaveLength(names.slice(0, length).length);
    }
  });

  it('is refused when a field is missing, another or of a fork to come', () => {
    const hash = keccak256(rlpOf(fields));
    const { requestsHash: _none, ...without } = fields;
    expect(() => headerRlp({ ...without, hash })).toThrow(RangeError);
    expect(() => headerRlp({ ...fields, gasUsed: '0x1', hash })).toThrow(RangeError);
    const next = { ...fields, blockAccessListHash: word('a') };
    expect(() => headerRlp({ ...next, hash: keccak256(rlpOf(next)) })).toThrow('a form that is not known');
  });

  it('is that of the beacon block', async () => {
    const place = { header: { blockNumber: 118n } } as Parameters<typeof auditOpening>[1]['place'];
    const asked: unknown[] = [];
    const client = {
      request: async ({ params }: { params: unknown }) => {
        asked.push(params);
        return asked.length === 1 ? null : { ...fields, hash: keccak256(rlpOf(fields)) };
      },
    } as unknown as PublicClient;
    await expect(auditOpening(client, { place, beaconDelay: 10 })).rejects.toThrow('there is no block 128 yet');
    expect(await auditOpening(client, { place, beaconDelay: 10 })).toEqual([place, rlpOf(fields)]);
    expect(asked).toEqual([
      ['0x80', false],
      ['0x80', false],
    ]);
  });
});
