import { type devnetRoles, openLedgerChain } from '@openledger/chain-config';
import { type Call, createOpenLedgerClient, type OpenLedgerClient, sendTransaction } from '@openledger/client';
import { type ChainEvent, createRemoteReader, type EventReader, type EventType } from '@openledger/event-log';
import type { TransactionReceipt } from 'viem';
import { devnetAccount } from '../devnet/network.ts';
import type { Devnet } from '../devnet/startDevnet.ts';
import { StepFailed } from './steps.ts';

export type Role = keyof typeof devnetRoles;
export type EventOf<T extends EventType> = Extract<ChainEvent, { type: T }>;

/** What the walkthrough's steps share: accounts, the chain's events, GraphQL. All over the public interfaces. */
export class WalkthroughContext {
  readonly devnet: Devnet;
  readonly reader: EventReader;
  readonly chainId: number;
  readonly #clients = new Map<Role, OpenLedgerClient>();

  constructor(devnet: Devnet) {
    this.devnet = devnet;
    this.chainId = devnet.chain.genesis.config.l2ChainId;
    this.reader = createRemoteReader({ url: devnet.urls.l2 });
  }

  client(role: Role): OpenLedgerClient {
    const known = this.#clients.get(role);
    if (known) return known;
    const { chain, urls } = this.devnet;
    const client = createOpenLedgerClient({
      account: devnetAccount(role),
      chain: openLedgerChain({
        id: this.chainId,
        name: chain.name,
        rpcUrl: urls.l2,
        l1ChainId: chain.genesis.config.l1ChainId,
        contracts: chain.l1Contracts,
      }),
    });
    this.#clients.set(role, client);
    return client;
  }

  address(role: Role): `0x${string}` {
    return devnetAccount(role).address.toLowerCase() as `0x${string}`;
  }

  send(role: Role, call: Call): Promise<TransactionReceipt> {
    return sendTransaction(this.client(role), call);
  }

  /** The first event of one of the types that matches, from the log's start; waits for it. */
  async waitFor<T extends EventType>(
    types: T | readonly T[],
    matches: (event: EventOf<T>) => boolean,
    timeoutSeconds: number,
  ): Promise<EventOf<T>> {
    const wanted: readonly string[] = typeof types === 'string' ? [types] : types;
    const timeout = AbortSignal.timeout(timeoutSeconds * 1000);
    for await (const entry of this.reader.follow(0, { signal: timeout })) {
      if (entry.kind !== 'block') continue;
      for (const event of entry.events) {
        if (wanted.includes(event.type) && matches(event as EventOf<T>)) return event as EventOf<T>;
      }
    }
    throw new StepFailed(`no ${wanted.join(' or ')} within ${timeoutSeconds} s`);
  }

  /** All events of a type so far. */
  async events<T extends EventType>(type: T): Promise<EventOf<T>[]> {
    const found: EventOf<T>[] = [];
    for await (const entry of this.reader.read(0)) {
      if (entry.kind === 'block') found.push(...(entry.events.filter((event) => event.type === type) as EventOf<T>[]));
    }
    return found;
  }

  async graphql<T>(query: string, variables: Record<string, unknown> = {}): Promise<T> {
    const response = await fetch(this.devnet.urls.graphql, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query, variables }),
    });
    const { data, errors } = (await response.json()) as { data?: T; errors?: { message: string }[] };
    if (!data || errors)
      throw new StepFailed(`GraphQL: ${errors?.map(({ message }) => message).join('; ') ?? response.status}`);
    return data;
  }
}
