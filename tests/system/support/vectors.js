// Public test vectors, where they are: see tests/support/fixtures.
import path from 'node:path';
import { fileURLToPath } from 'node:url';

import { run, workFolder } from './node.js';

const script = fileURLToPath(new URL('../../support/fixtures', import.meta.url));

// The folder of a set; null, the test being skipped by name, when it is not there.
export async function vectors(t, set) {
  const cache = process.env.HANSE_FIXTURES_CACHE ?? path.join(workFolder(t), 'vectors');
  const from = process.env.HANSE_FIXTURES_FROM ? ['--from', process.env.HANSE_FIXTURES_FROM] : [];
  const found = await run([...from, '--into', cache, set], { command: script });
  if (found.code === 0) return path.join(found.stdout.trim(), set);
  if (found.code !== 77) throw new Error(found.stderr);
  t.skip(found.stderr.trim());
  return null;
}
