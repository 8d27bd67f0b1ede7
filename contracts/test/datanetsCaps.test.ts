import fc from 'fast-check';
import type { Address } from 'viem';
import { describe, expect, it } from 'vitest';
import { isolateTests, startChain } from './support/chain.ts';
import { alice, bob, carol, deploySystem, hashOf } from './support/system.ts';

const chain = await startChain();
const { datanets } = await deploySystem(chain);
for (let i = 0; i < 3; i++) await datanets.send(alice, 'createDatanet', [`datanet ${i}`, 0, '']);
isolateTests(chain);

const FILES = 20;
const BYTES = 10_000_000;
const DAY = 86_400n;
const TXT = 3;

let serial = 0;
/** Never the same content twice, so that only the caps can refuse. */
function file(datanetId: bigint, size: number) {
  return [datanetId, hashOf(`file ${serial++}`), TXT, size, 'f.txt'] as const;
}

async function startOfNextDay() {
  return ((await chain.now()) / DAY + 1n) * DAY;
}

describe('caps of a UTC day', () => {
  it('are 20 files and 10,000,000 bytes', async () => {
    expect(await datanets.read('MAX_FILES_PER_DAY', [])).toBe(20n);
    expect(await datanets.read('MAX_CONTRIBUTOR_BYTES_PER_DAY', [])).toBe(10_000_000n);
    expect(await datanets.read('MAX_DATANET_BYTES_PER_DAY', [])).toBe(10_000_000n);
    expect(await datanets.read('remainingToday', [bob])).toEqual([20n, 10_000_000n]);
  });

  it('count files over all datanets, until midnight', async () => {
    const midnight = await startOfNextDay();
    await chain.at(midnight - 1000n);
    for (let i = 0; i < FILES; i++) await datanets.send(bob, 'submit', file(BigInt(1 + (i % 3)), 1));
    expect(await datanets.read('remainingToday', [bob])).toEqual([0n, 9_999_980n]);
    await datanets.refuses(bob, 'submit', file(1n, 1), 'ContributorFileCap', [20n, 20n]);
    await datanets.send(carol, 'submit', file(1n, 1));
    await chain.at(midnight - 1n);
    await datanets.refuses(bob, 'submit', file(2n, 1), 'ContributorFileCap', [20n, 20n]);
    await chain.at(midnight);
    expect(await datanets.read('remainingToday', [bob])).toEqual([20n, 10_000_000n]);
    await datanets.send(bob, 'submit', file(1n, 1));
  });

  it('give nothing back for a rejected file', async () => {
    await datanets.send(bob, 'submit', file(1n, BYTES));
    await datanets.send(alice, 'reject', [1n, 'no']);
    await datanets.refuses(bob, 'submit', file(2n, 1), 'ContributorByteCap', [10_000_000n, 1n, 10_000_000n]);
  });

  it('let a contributor give exactly the cap of bytes over all datanets', async () => {
    await datanets.send(bob, 'submit', file(1n, BYTES - 10));
    await datanets.refuses(bob, 'submit', file(2n, 11), 'ContributorByteCap', [9_999_990n, 11n, 10_000_000n]);
    await datanets.send(bob, 'submit', file(2n, 10));
    await datanets.refuses(bob, 'submit', file(3n, 1), 'ContributorByteCap', [10_000_000n, 1n, 10_000_000n]);
    await chain.at(await startOfNextDay());
    await datanets.refuses(bob, 'submit', file(3n, BYTES + 1), 'ContributorByteCap', [0n, 10_000_001n, 10_000_000n]);
    await datanets.send(bob, 'submit', file(3n, BYTES));
  });

  it('let a datanet receive exactly the cap, whoever gives', async () => {
    await datanets.send(bob, 'submit', file(1n, 6_000_000));
    await datanets.refuses(carol, 'submit', file(1n, 4_000_001), 'DatanetByteCap', [
      6_000_000n,
      4_000_001n,
      10_000_000n,
    ]);
    await datanets.send(carol, 'submit', file(1n, 4_000_000));
    await datanets.refuses(alice, 'submit', file(1n, 1), 'DatanetByteCap', [10_000_000n, 1n, 10_000_000n]);
    await datanets.send(alice, 'submit', file(2n, 1));
    await chain.at(await startOfNextDay());
    await datanets.send(alice, 'submit', file(1n, 1));
  });

  it('hold for every sequence of submissions, as a model computes them', async () => {
    const contributors = [alice, bob, carol];
    const step = fc.record({
      who: fc.nat(2),
      datanet: fc.nat(2),
      // Small files run into the file cap, big ones into the byte caps.
      size: fc.oneof(fc.integer({ min: 1, max: 1000 }), fc.integer({ min: 1, max: BYTES + 1 })),
      wait: fc.oneof({ weight: 12, arbitrary: fc.constant(0n) }, { weight: 1, arbitrary: fc.constant(DAY / 2n) }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 20, maxLength: 70, size: 'max' }), async (steps) => {
        const snapshot = await chain.client.snapshot();
        const model = new CapModel();
        let now = await startOfNextDay();
        for (const { who, datanet, size, wait } of steps) {
          now += wait + 1n;
          const from = contributors[who]!;
          const args = file(BigInt(datanet + 1), size);
          await chain.next(now);
          const receipt = await chain.send({ from, to: datanets.address, data: datanets.data('submit', args) });
          expect(receipt.status === 'success').toBe(model.submit(now, from, datanet, size));
        }
        for (const who of contributors) {
          const [files, bytes] = model.remaining(now, who);
          expect(await datanets.read('remainingToday', [who])).toEqual([BigInt(files), BigInt(bytes)]);
        }
        await chain.client.revert({ id: snapshot });
      }),
      { numRuns: 25 },
    );
  }, 240_000);
});

/** Adds up everything that was ever given, day by day, where the contract keeps one slot. */
class CapModel {
  private readonly given: { day: bigint; who: Address; datanet: number; size: number }[] = [];

  submit(now: bigint, who: Address, datanet: number, size: number): boolean {
    const [files, bytes] = this.remaining(now, who);
    const ofDatanet = this.given.filter((one) => one.day === now / DAY && one.datanet === datanet);
    if (files < 1 || bytes < size || BYTES - sum(ofDatanet) < size) return false;
    this.given.push({ day: now / DAY, who, datanet, size });
    return true;
  }

  remaining(now: bigint, who: Address): [files: number, bytes: number] {
    const own = this.given.filter((one) => one.day === now / DAY && one.who === who);
    return [FILES - own.length, BYTES - sum(own)];
  }
}

function sum(files: { size: number }[]): number {
  return files.reduce((total, { size }) => total + size, 0);
}
