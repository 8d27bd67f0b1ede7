/** Longest lifetime of a signature, in seconds: a leaked one is soon worthless. */
const MAX_LIFETIME = 3_600n;

/** Signed messages that count once, each with a random nonce and a deadline. In memory: a deadline outlives no restart for long. */
export class SignedOnce {
  readonly #used = new Map<string, bigint>();

  /** Whether a message may be looked at: its deadline is ahead, and not far away. All in unix seconds. */
  static isTimely(deadline: bigint, now: bigint): boolean {
    return deadline >= now && deadline <= now + MAX_LIFETIME;
  }

  get size(): number {
    return this.#used.size;
  }

  /** Takes a signer's message; false when it was taken before. */
  take(signer: string, nonce: bigint, deadline: bigint, now: bigint): boolean {
    for (const [key, until] of this.#used) if (until < now) this.#used.delete(key);
    const key = `${signer}:${nonce}`;
    if (this.#used.has(key)) return false;
    this.#used.set(key, deadline);
    return true;
  }
}
