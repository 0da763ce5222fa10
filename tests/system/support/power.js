// Rounds of power failures and of a disk that misbehaves, under the program as it is and under load: after each of
// them everything that was acknowledged is there.
import assert from 'node:assert/strict';

import { Client, generator, startGenerator } from './crashes.js';
import { FaultyDisk } from './faulty_disk.js';
import { binary, Node, run, sleep, startNode, until, workFolder } from './node.js';

const EIO = 5;
const ENOSPC = 28;

// How a round ends: each leaves the disk cut off and the node dead or about to die.
const ends = {
  // The power fails; the program lives a little longer than its disk.
  async cut({ node, cut, random }) {
    await cut();
    await sleep(random(0, 100));
    await node.stop('SIGKILL');
  },
  async kill({ node, cut }) {
    await node.stop('SIGKILL');
    await cut();
  },
  async freeze({ node, cut, random }) {
    process.kill(node.pid, 'SIGSTOP');
    await sleep(random(1, 100));
    await cut();
    await node.stop('SIGKILL');
  },
  async finish({ node, cut, random }) {
    node.child.kill('SIGTERM');
    await sleep(random(0, 250));
    await cut();
    await node.stop('SIGKILL');
  },
  // Calls fail, one or all from there on. Whoever ends because of that says why.
  async fail({ node, disk, cut, random }) {
    await disk.tell(`fail ${random(1, 300)} ${random(0, 2) === 0 ? 1 : 1000000} ${random(0, 2) === 0 ? EIO : ENOSPC}`);
    const end = Date.now() + random(300, 1500);
    while (!node.end && Date.now() < end) await sleep(10);
    if (node.end) {
      assert.ok([1, 3].includes(node.end.code), `${JSON.stringify(node.end)} ${node.stderr}`);
      assert.match(node.stderr, /hanse: .*(error|space|cannot|failed)/i);
    }
    await cut();
    await node.stop('SIGKILL');
  },
};

// One data directory that sees `rounds` of them. Gives what was acknowledged, what the disk lost, and the ends.
export async function powerRounds(t, { rounds, seed, kinds = Object.keys(ends), moment = [1, 1200] }) {
  const random = generator(seed);
  const disk = new FaultyDisk(t, workFolder(t));
  const clients = [0, 1, 2].map((index) => new Client(index, { random, overRpc: index === 2 }));
  const args = ['--log-segment', '8', '--snapshot-frames', '500'];
  const counts = { acknowledged: 0, sectors: 0, lost: 0, sizes: 0, changes: 0, ends: {} };
  const cut = async () => {
    const told = await disk.cut(random(0, 1 << 30), [0, 100, 500, 900, 1000][random(0, 5)]);
    for (const name of ['sectors', 'lost', 'sizes', 'changes']) counts[name] += told[name];
  };
  for (let round = 0; round < rounds; round++) {
    await disk.start();
    if (random(0, 4) === 0) {
      // The power fails while it recovers, too.
      const early = new Node(['--dev', '--data', disk.data, '--cores', '2', ...args], { command: disk.command });
      await sleep(random(20, 400));
      await cut();
      await early.stop('SIGKILL');
      await disk.stop();
      await disk.start();
    }
    const node = await startNode(t, { data: disk.data, args: [...args, '--cores', String(1 + random(0, 3))], command: disk.command });
    for (const client of clients) await client.repeat(t, node, await client.check(node));
    await disk.tell(`unruly ${random(0, 1 << 30)} ${[0, 5, 50][random(0, 3)]}`);
    const beside = startGenerator(t, node, seed + round);
    const load = { isRunning: true, isStopping: false };
    const running = Promise.all(clients.map((client) => client.send(t, node, load))).catch((error) => {
      throw new Error(`round ${round}: ${error.message} ${node.stderr}`, { cause: error });
    });
    const before = clients.reduce((sum, client) => sum + client.acknowledged.size, 0);
    await until(() => clients.reduce((sum, client) => sum + client.acknowledged.size, 0) > before + 5, 'they are at work', 20000);
    await Promise.race([sleep(random(...moment)), running]);
    assert.ok(!node.end, `the node ended by itself: ${node.stderr}`);
    load.isStopping = true;
    const kind = kinds[random(0, kinds.length)];
    await ends[kind]({ node, disk, cut, random });
    load.isRunning = false;
    await running;
    beside.kill('SIGKILL');
    await beside.closed;
    await disk.stop();
    counts.ends[kind] = (counts.ends[kind] ?? 0) + 1;
  }
  await disk.start();
  const node = await startNode(t, { data: disk.data, args, command: disk.command });
  for (const client of clients) {
    await client.check(node);
    counts.acknowledged += client.acknowledged.size;
  }
  assert.deepEqual(await node.stop(), { code: 0, signal: null }, node.stderr);
  const [command, ...before] = disk.command;
  const audit = await run([...before, binary, 'verify', '--data', disk.data], { command, timeout: 120000 });
  assert.deepEqual([audit.code, /Everything agrees/.test(audit.stdout)], [0, true], audit.stdout + audit.stderr);
  return counts;
}
