import { type CreditSink, type Receipt, SETTLEMENT_PAGE } from '../ledger/creditSink.ts';

const BLOCK = 1 << 20;
const LOW = (1n << 64n) - 1n;

type Block = { readonly accounts: Uint32Array; readonly receipts: Uint32Array; readonly amounts: BigUint64Array };

/**
 * The records of an epoch as they are made: one for each account that a receipt pays, whatever its roles. Columns in blocks
 * of a million, because an epoch has tens of millions of them. 20 bytes a record.
 */
export class RecordStore implements CreditSink {
  readonly #blocks: Block[] = [];
  #size = 0;
  /** Upper 64 bits of the amounts that have any: above 18 OPEN for one output. */
  readonly #high = new Map<number, bigint>();
  /** Three numbers a receipt. */
  #receipts = new Float64Array(3 * 1024);
  #receiptCount = 0;
  /** Whom the running receipt pays, and how much; and each account's place there, which counts if it is that account's. */
  #openAccounts: number[] = [];
  #openAmounts: bigint[] = [];
  #places = new Uint32Array(1024);

  get size(): number {
    return this.#size;
  }

  begin({ batch, page, output }: Receipt): void {
    const at = 3 * this.#receiptCount;
    if (at === this.#receipts.length) {
      const larger = new Float64Array(2 * this.#receipts.length);
      larger.set(this.#receipts);
      this.#receipts = larger;
    }
    this.#receipts[at] = batch;
    this.#receipts[at + 1] = page;
    this.#receipts[at + 2] = output;
    this.#receiptCount++;
  }

  credit(account: number, _role: string, amount: bigint): void {
    if (account >= this.#places.length) {
      const larger = new Uint32Array(Math.max(account + 1, 2 * this.#places.length));
      larger.set(this.#places);
      this.#places = larger;
    }
    const place = this.#places[account] as number;
    if (this.#openAccounts[place] === account) this.#openAmounts[place] = (this.#openAmounts[place] as bigint) + amount;
    else {
      this.#places[account] = this.#openAccounts.length;
      this.#openAccounts.push(account);
      this.#openAmounts.push(amount);
    }
  }

  end(): void {
    for (let i = 0; i < this.#openAccounts.length; i++) {
      this.#push(this.#openAccounts[i] as number, this.#openAmounts[i] as bigint);
    }
    this.#openAccounts.length = 0;
    this.#openAmounts.length = 0;
  }

  account(record: number): number {
    return this.#block(record).accounts[record % BLOCK] as number;
  }

  amount(record: number): bigint {
    const low = this.#block(record).amounts[record % BLOCK] as bigint;
    const high = this.#high.size === 0 ? undefined : this.#high.get(record);
    return high === undefined ? low : low | (high << 64n);
  }

  receipt(record: number): Receipt {
    const at = 3 * (this.#block(record).receipts[record % BLOCK] as number);
    const [batch, page, output] = this.#receipts.subarray(at, at + 3) as unknown as [number, number, number];
    return { batch, page, output };
  }

  /** Writes a record's receipt as the trace has it: 12 bytes, (batch + 1) page output. */
  writeReceipt(record: number, target: DataView, at: number): void {
    const from = 3 * (this.#block(record).receipts[record % BLOCK] as number);
    const batch = (this.#receipts[from] as number) + 1;
    const [page, output] = [this.#receipts[from + 1] as number, this.#receipts[from + 2] as number];
    if (output > SETTLEMENT_PAGE) throw new RangeError(`output ${output} has no place in a receipt`);
    target.setUint16(at, Math.floor(batch / 2 ** 32));
    target.setUint32(at + 2, batch >>> 0);
    target.setUint16(at + 6, page >>> 8);
    target.setUint32(at + 8, (((page & 0xff) << 24) | output) >>> 0);
  }

  /**
   * Records grouped by account: those of account a are order[offsets[a]] to order[offsets[a + 1]], in the order of their
   * receipts, because they were made in that order.
   */
  grouped(accounts: number): { order: Uint32Array; offsets: Uint32Array } {
    const offsets = new Uint32Array(accounts + 1);
    for (let record = 0; record < this.#size; record++) {
      const next = this.account(record) + 1;
      offsets[next] = (offsets[next] as number) + 1;
    }
    for (let a = 0; a < accounts; a++) offsets[a + 1] = (offsets[a + 1] as number) + (offsets[a] as number);
    const places = offsets.slice();
    const order = new Uint32Array(this.#size);
    for (let record = 0; record < this.#size; record++) {
      const account = this.account(record);
      const place = places[account] as number;
      order[place] = record;
      places[account] = place + 1;
    }
    return { order, offsets };
  }

  #block(record: number): Block {
    return this.#blocks[Math.floor(record / BLOCK)] as Block;
  }

  #push(account: number, amount: bigint): void {
    const at = this.#size % BLOCK;
    if (at === 0) {
      this.#blocks.push({
        accounts: new Uint32Array(BLOCK),
        receipts: new Uint32Array(BLOCK),
        amounts: new BigUint64Array(BLOCK),
      });
    }
    const block = this.#blocks.at(-1) as Block;
    block.accounts[at] = account;
    block.receipts[at] = this.#receiptCount - 1;
    if (amount > LOW) {
      this.#high.set(this.#size, amount >> 64n);
      block.amounts[at] = amount & LOW;
    } else block.amounts[at] = amount;
    this.#size++;
  }
}
