import { type NestedUint8Array, RLP } from '@ethereumjs/rlp';
import { bytesToHex, type Hex } from 'viem';

/**
 * Keys of the overlay that the tree under `root` uses. A batch of trie updates leaves many intermediate nodes behind that no
 * root refers to; only these are worth a place on disk. Storage tries are followed from account leaves; keys that are
 * not 32-byte node hashes (prefixed code) are always kept.
 */
export const reachableNodes = (root: Hex, overlay: ReadonlyMap<string, Uint8Array>): Set<string> => {
  const reached = new Set<string>();
  for (const key of overlay.keys()) if (key.length !== 64) reached.add(key);
  const pending: string[] = [root.slice(2)];
  for (let key = pending.pop(); key !== undefined; key = pending.pop()) {
    const node = overlay.get(key);
    if (!node || reached.has(key)) continue;
    reached.add(key);
    visit(RLP.decode(node), pending);
  }
  return reached;
};

type Item = Uint8Array | NestedUint8Array;

const visit = (node: Item, pending: string[]): void => {
  if (!Array.isArray(node)) return;
  if (node.length === 17) {
    for (const child of node.slice(0, 16)) follow(child as Item, pending);
    return;
  }
  const [path, value] = node as [Uint8Array, Item];
  const isLeaf = ((path[0] ?? 0) & 0x20) !== 0;
  if (!isLeaf) {
    follow(value, pending);
    return;
  }
  // An account leaf is RLP [nonce, balance, storageRoot, codeHash]; a storage leaf's value is a short string.
  if (value instanceof Uint8Array && value.length >= 70) {
    const account = RLP.decode(value);
    if (Array.isArray(account) && account.length === 4) pending.push(bytesToHex(account[2] as Uint8Array).slice(2));
  }
};

const follow = (child: Item, pending: string[]): void => {
  if (child instanceof Uint8Array) {
    if (child.length === 32) pending.push(bytesToHex(child).slice(2));
  } else visit(child, pending);
};
