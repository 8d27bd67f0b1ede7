/** One vector. `run` throws when our answer differs from the vector's. */
export type Case = { readonly name: string; run(): void | Promise<void> };

/**
 * A kind of vectors that somebody else made. `cases` reads whatever lies in a fixtures folder of the layout that
 * `../shared/fixtures/README.md` describes; `undefined` when the folder has none of this kind.
 */
export type Suite = {
  readonly name: string;
  cases(fixtures: string): Promise<readonly Case[] | undefined>;
};
