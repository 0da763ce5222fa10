// Many rounds of power failures under load, in several data directories one after the other:
//   HANSE_BINARY=... HANSE_FAULTY_DISK=... node power_rounds.js [--rounds 200] [--seed N] [--rounds-of-a-directory 10]
// A failure names its seed: the same with `--seed N --rounds R` of that directory makes the same choices again.
import { test } from 'node:test';
import { parseArgs } from 'node:util';

import { whyNoFaultyDisk } from './support/faulty_disk.js';
import { powerRounds } from './support/power.js';

const { values } = parseArgs({
  options: {
    'rounds': { type: 'string', default: '200' },
    'seed': { type: 'string', default: String(Date.now() % 1000000) },
    'rounds-of-a-directory': { type: 'string', default: '10' },
  },
});
const all = Number(values.rounds);
const each = Number(values['rounds-of-a-directory']);
for (let done = 0; done < all; done += each) {
  const seed = Number(values.seed) + done;
  const rounds = Math.min(each, all - done);
  test(`rounds ${done + 1} to ${done + rounds} of ${all} (--seed ${seed} --rounds ${rounds})`, { skip: whyNoFaultyDisk() ?? false }, async (t) => {
    t.diagnostic(JSON.stringify(await powerRounds(t, { rounds, seed })));
  });
}
