import pg from 'pg';

export const POSTGRES = process.env.OPENLEDGER_TEST_POSTGRES_URL ?? 'postgres://postgres@127.0.0.1:5432/test';

/** Whether a server answers; where services are required, it throws when none does. */
export const hasPostgres = async (): Promise<boolean> => {
  const client = new pg.Client({ connectionString: POSTGRES, connectionTimeoutMillis: 2_000 });
  try {
    await client.connect();
    await client.end();
    return true;
  } catch (error) {
    if (process.env.OPENLEDGER_REQUIRE_SERVICES === '1') throw error;
    return false;
  }
};
