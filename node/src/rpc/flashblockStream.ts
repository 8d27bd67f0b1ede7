import type { WebSocket } from 'ws';
import type { Flashblock } from '../pending/flashblock.ts';
import type { PendingChain } from '../pending/pendingChain.ts';
import { formatFlashblock } from './formatFlashblock.ts';

const MAX_SUBSCRIBERS = 200;
/** Bytes that may wait for one subscriber: some seconds of the fullest blocks. */
const MAX_BACKLOG = 16 * 1024 * 1024;
/** WebSocket close code. */
const TRY_AGAIN_LATER = 1013;

/**
 * The stream of flashblocks, a JSON text each: those of the open block so far, then as they come. Who can't keep up is closed.
 * What a withdrawn block preconfirmed is superseded by the next index 0, which has another payload id.
 */
export class FlashblockStream {
  readonly #pending: PendingChain;
  readonly #subscribers = new Set<WebSocket>();
  /** Made once for all subscribers. */
  readonly #texts = new WeakMap<Flashblock, string>();
  #stop: (() => void) | undefined;

  constructor(pending: PendingChain) {
    this.#pending = pending;
  }

  /** Effects: sends until the socket closes. Nothing that it says is listened to. */
  add(socket: WebSocket): void {
    if (this.#subscribers.size >= MAX_SUBSCRIBERS) {
      socket.close(TRY_AGAIN_LATER, 'too many subscribers');
      return;
    }
    this.#subscribers.add(socket);
    this.#stop ??= this.#pending.onFlashblock((flashblock) => {
      for (const subscriber of this.#subscribers) this.#send(subscriber, flashblock);
    });
    socket.on('close', () => {
      this.#subscribers.delete(socket);
      if (this.#subscribers.size > 0) return;
      this.#stop?.();
      this.#stop = undefined;
    });
    socket.on('error', () => socket.terminate());
    for (const flashblock of this.#pending.flashblocks) this.#send(socket, flashblock);
  }

  #send(socket: WebSocket, flashblock: Flashblock): void {
    if (socket.bufferedAmount > MAX_BACKLOG) {
      // A peer that doesn't read doesn't answer a close either.
      socket.terminate();
      return;
    }
    socket.send(this.#textOf(flashblock));
  }

  #textOf(flashblock: Flashblock): string {
    const known = this.#texts.get(flashblock);
    if (known) return known;
    const text = JSON.stringify(formatFlashblock(flashblock));
    this.#texts.set(flashblock, text);
    return text;
  }
}
