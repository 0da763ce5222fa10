// caller.js PORT: heavy calls, traces and reads of old states while transactions come, until the node goes; for
// tests/race/node. Ends well when some of each kind were answered.
'use strict';
const http = require('node:http');

const agent = new http.Agent({ keepAlive: true });
let isGone = false;

function ask(method, params) {
  return new Promise((resolve) => {
    const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params });
    const options = { agent, host: '127.0.0.1', port: process.argv[2], method: 'POST', headers: { 'content-type': 'application/json' } };
    const gone = () => resolve((isGone = true) && {});
    const request = http.request(options, (response) => {
      let text = '';
      response.on('data', (data) => (text += data));
      response.on('end', () => (response.statusCode === 200 ? resolve(JSON.parse(text)) : gone()));
      response.on('error', gone);
    });
    request.on('error', gone);
    request.end(body);
  });
}

const address = '0x' + '77'.repeat(20);
const account = '0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266';
const endless = { [address]: { code: '0x5b5f56' } };
const hex = (number) => '0x' + Math.max(number, 0).toString(16);
let newest = 0;
const old = () => hex(newest - Math.floor(Math.random() * 25));
const kinds = {
  head: async () => {
    const answer = await ask('eth_blockNumber', []);
    newest = Number(answer.result ?? newest);
    return answer;
  },
  endless: () => ask('eth_call', [{ to: address, gas: '0xffffffffff' }, 'latest', endless]),
  call: () => ask('eth_call', [{ from: account, to: address, value: '0x1' }, old(), { [address]: { code: '0x5f355460005260206000f3' } }]),
  trace: () => ask('debug_traceBlockByNumber', [hex(newest), { tracer: 'callTracer' }]),
  simulate: () => ask('eth_simulateV1', [{ blockStateCalls: [{ calls: [{ from: account, to: address, value: '0x1' }] }, {}] }, 'latest']),
  simulateOld: () => ask('eth_simulateV1', [{ blockStateCalls: [{}] }, old()]),
  prove: () => ask('eth_getProof', [account, [], old()]),
  estimate: () => ask('eth_estimateGas', [{ from: account, to: address, value: '0x1' }]),
  balance: () => ask('eth_getBalance', [account, old()]),
};

async function repeat(once) {
  let answered = 0;
  while (!isGone) answered += (await once()).result !== undefined;
  return answered;
}

(async () => {
  const counts = Object.fromEntries(await Promise.all(Object.entries(kinds).map(async ([name, once]) => [name, await repeat(once)])));
  agent.destroy();
  console.log(JSON.stringify(counts));
  delete counts.endless; // ended by the gas cap or by time
  process.exitCode = Object.values(counts).every((count) => count > 0) ? 0 : 1;
})();
