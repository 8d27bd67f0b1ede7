import type { Queryable } from '../database/database.ts';
import { nameOf, type Projection } from './projection.ts';

const modalities = ['text', 'image', 'audio'] as const;
const formats = [
  'md',
  'pdf',
  'docx',
  'txt',
  'png',
  'jpg',
  'jpeg',
  'webp',
  'tiff',
  'bmp',
  'wav',
  'mp3',
  'flac',
] as const;

/**
 * A day is active when a file that was given on it has been accepted; the reviewer's speed doesn't matter. Only accepted
 * files move score_sum, active_days and came_first, so a rejection never costs a rank.
 */
const deriveContributors = async (tx: Queryable, contributors: readonly string[]): Promise<void> => {
  if (contributors.length === 0) return;
  await tx.query(
    `INSERT INTO contributors AS t (contributor, submitted, accepted, rejected, decided, score_sum, active_days, first_accepted, came_first)
     SELECT c.contributor,
       count(*),
       count(*) FILTER (WHERE c.status = 'accepted'),
       count(*) FILTER (WHERE c.status = 'rejected'),
       count(*) FILTER (WHERE c.status <> 'pending'),
       coalesce(sum(c.score) FILTER (WHERE c.status = 'accepted'), 0),
       count(DISTINCT c.timestamp / 86400) FILTER (WHERE c.status = 'accepted'),
       min(c.decided_position) FILTER (WHERE c.status = 'accepted'),
       coalesce(min(c.decided_position) FILTER (WHERE c.status = 'accepted'), min(c.position))
     FROM json_array_elements_text($1::json) m JOIN contributions c ON c.contributor = m.value
     GROUP BY c.contributor
     ON CONFLICT (contributor) DO UPDATE SET submitted = excluded.submitted, accepted = excluded.accepted,
       rejected = excluded.rejected, decided = excluded.decided, score_sum = excluded.score_sum,
       active_days = excluded.active_days, first_accepted = excluded.first_accepted, came_first = excluded.came_first`,
    [JSON.stringify(contributors)],
  );
};

/** Datanets, their versions and reviewers, every file's fate, and who gave how much that was accepted. */
export const datanets: Projection = {
  name: 'datanets',
  on: {
    DatanetCreated: ({ datanetId, owner, modality, name, description }, at, changes) =>
      changes.insert('datanets', {
        datanet_id: datanetId,
        owner,
        modality: nameOf(modalities, modality, 'modality'),
        name,
        description,
        ...at,
      }),
    ReviewerSet: ({ datanetId, reviewer, allowed }, { position }, changes) =>
      changes.upsert('reviewers', { datanet_id: datanetId, reviewer }, { allowed, position }),
    ContributionSubmitted: (args, at, changes) => {
      changes.insert('contributions', {
        contribution_id: args.contributionId,
        datanet_id: args.datanetId,
        contributor: args.contributor,
        content_hash: args.contentHash,
        format: nameOf(formats, args.format, 'format'),
        size: args.size,
        file_name: args.fileName,
        ...at,
      });
      changes.update('datanets', { datanet_id: args.datanetId }, {}, { submitted: 1n });
      changes.mark('contributors', args.contributor);
    },
    ContributionAccepted: (args, at, changes) => {
      changes.update(
        'contributions',
        { contribution_id: args.contributionId },
        {
          status: 'accepted',
          score: args.score,
          reviewer: args.reviewer,
          leaf_index: args.leafIndex,
          leaf: args.leaf,
          decided_position: at.position,
          decided_at: at.timestamp,
        },
      );
      changes.update('datanets', { datanet_id: args.datanetId }, {}, { accepted: 1n });
      changes.mark('contributors', args.contributor);
    },
    ContributionRejected: (args, at, changes) => {
      changes.update(
        'contributions',
        { contribution_id: args.contributionId },
        {
          status: 'rejected',
          reason: args.reason,
          reviewer: args.reviewer,
          decided_position: at.position,
          decided_at: at.timestamp,
        },
      );
      changes.update('datanets', { datanet_id: args.datanetId }, {}, { rejected: 1n });
      changes.mark('contributors', args.contributor);
    },
    DatanetVersionPublished: (args, at, changes) => {
      changes.insert('datanet_versions', {
        datanet_id: args.datanetId,
        version: args.version,
        data_root: args.dataRoot,
        contribution_count: args.contributionCount,
        ...at,
      });
      changes.update('datanets', { datanet_id: args.datanetId }, {}, { version_count: 1n });
    },
  },
  derive: (tx, changes) => deriveContributors(tx, changes.marked('contributors')),
};
