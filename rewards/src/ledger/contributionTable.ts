/** Who is paid for a contribution: dense columns by id, because every attribution row asks. */
export class ContributionTable {
  #clusters = new Uint32Array(1024);
  #payees = new Uint32Array(1024);

  /** @param duplicateOf 0 for an original */
  accept(id: number, contributor: number, duplicateOf: number): void {
    if (id >= this.#clusters.length) this.#grow(id + 1);
    this.#clusters[id] = duplicateOf === 0 ? id : duplicateOf;
    this.#payees[id] = duplicateOf === 0 ? contributor : (this.#payees[duplicateOf] as number);
  }

  /** The first contribution of its cluster; 0 while it isn't accepted. */
  cluster(id: number): number {
    return this.#clusters[id] ?? 0;
  }

  /** The account that is paid for a cluster. */
  payee(cluster: number): number {
    return this.#payees[cluster] as number;
  }

  #grow(size: number): void {
    const capacity = Math.max(size, 2 * this.#clusters.length);
    const [clusters, payees] = [new Uint32Array(capacity), new Uint32Array(capacity)];
    clusters.set(this.#clusters);
    payees.set(this.#payees);
    this.#clusters = clusters;
    this.#payees = payees;
  }
}
