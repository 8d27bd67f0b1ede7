import type { Contribution } from '../chain/runnerView.ts';
import type { ContentStore } from '../store/contentStore.ts';
import { formatName } from './formats.ts';

/** Contributions as the engine's methods take them: by id, where the file lies, and what it claims to be. */
export const engineFiles = (contributions: readonly Contribution[], store: ContentStore) =>
  contributions.map(({ id, contentHash, format }) => ({
    contribution_id: id.toString(),
    path: store.path(contentHash.slice(2)),
    format: formatName(format),
  }));
