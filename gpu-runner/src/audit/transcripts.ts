import type { Hex } from 'viem';
import type { RunnerDatabase } from '../queue/database.ts';
import type { TrainingTranscript, Transcript } from './transcript.ts';

/** Longer than an audit can be opened after its batch, and its deadlines, take together. */
const KEPT_DAYS = 4;

/** What this runner shows its auditors, by output. `saveOutput` writes those of answers. */
export class Transcripts {
  readonly #database: RunnerDatabase;

  constructor(database: RunnerDatabase) {
    this.#database = database;
  }

  /** Before the training is committed: from then on it can be drawn. */
  async keepTraining(outputIds: readonly Hex[], transcript: TrainingTranscript): Promise<void> {
    await this.#database.query(
      `INSERT INTO runner.transcripts (output_id, transcript) SELECT unnest($1::text[]), $2
       ON CONFLICT (output_id) DO NOTHING`,
      [outputIds, JSON.stringify(transcript)],
    );
  }

  async find(outputId: Hex): Promise<Transcript | TrainingTranscript | undefined> {
    const { rows } = await this.#database.query<{ transcript: Transcript | TrainingTranscript }>(
      'SELECT transcript FROM runner.transcripts WHERE output_id = $1',
      [outputId],
    );
    return rows[0]?.transcript;
  }

  /** Forgets what can't be audited any more; what isn't on chain yet is kept. */
  async prune(): Promise<void> {
    await this.#database.query(
      `DELETE FROM runner.transcripts t
       WHERE t.created_at < now() - make_interval(days => $1) AND NOT EXISTS (
         SELECT FROM runner.served o LEFT JOIN runner.settlements s ON s.pages_root = o.settlement
         WHERE o.output_id = t.output_id AND (s.sent_at IS NULL OR s.sent_at >= now() - make_interval(days => $1))
       )`,
      [KEPT_DAYS],
    );
  }
}
