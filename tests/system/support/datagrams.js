// The datagram port as a script uses it: one signed transaction is one datagram, its receipt is another.
import dgram from 'node:dgram';

import { defer, patience } from './node.js';
import { bytesOf, hashOf } from './wallets.js';

// The order of both lists is part of the protocol.
export const verdicts = [
  'QUEUED', 'DURABLE', 'EXECUTED', 'REJECTED', 'SKIPPED', 'KNOWN', 'UNDERPRICED', 'REPLACED', 'POOL_FULL',
  'SENDER_FULL', 'TOO_LARGE', 'BUSY', 'STOPPED', 'NO_LEDGER',
];
export const rejects = [
  'NONE', 'MALFORMED', 'TYPE_NOT_SUPPORTED', 'WRONG_CHAIN_ID', 'INVALID_SIGNATURE', 'NONCE_TOO_LOW',
  'NONCE_TOO_HIGH', 'NONCE_MAX', 'SENDER_NOT_EOA', 'INTRINSIC_GAS', 'FLOOR_GAS', 'GAS_LIMIT_CAP', 'BLOCK_GAS',
  'FEE_CAP_BELOW_BASE_FEE', 'TIP_ABOVE_FEE_CAP', 'FUNDS', 'COST_OVERFLOW', 'INITCODE_SIZE', 'BLOB_FEE_CAP', 'BLOB_CREATE', 'BLOB_NONE', 'BLOB_COUNT', 'BLOB_VERSION',
  'BLOB_BLOCK', 'SET_CODE_CREATE', 'SET_CODE_NO_AUTHORIZATION', 'BLOCK_SIZE',
];

const noLedger = 0xffff;
const magic = 0xb5;
const receiptType = 6;
const shortReceiptType = 7;

// A receipt as an object; null for anything else.
export function readReceipt(datagram) {
  if (datagram.length < 16 || datagram[0] !== magic || datagram[1] !== 1) return null;
  const isShort = datagram[2] === shortReceiptType;
  if (datagram.length !== (isShort ? 16 : 48) || (!isShort && datagram[2] !== receiptType)) return null;
  const verdict = verdicts[datagram[3]];
  return {
    verdict,
    detail: verdict === 'REJECTED' || verdict === 'SKIPPED' ? rejects[datagram[4]] : datagram[4],
    ledger: isShort || datagram.readUInt16BE(6) === noLedger ? null : datagram.readUInt16BE(6),
    block: isShort ? 0 : Number(datagram.readBigUInt64BE(8)),
    hash: '0x' + datagram.subarray(isShort ? 8 : 16).toString('hex'),
  };
}

// One socket. Receipts are handed to who waits for their transaction; all that came are in `receipts`, by hash.
export class Sender {
  constructor(t, port) {
    this.port = port;
    this.receipts = new Map();
    this.others = [];
    this.waiting = new Map();
    this.socket = dgram.createSocket('udp4');
    this.socket.on('message', (message) => this.take(message));
    this.socket.on('error', () => {}); // nobody listens there any more
    this.isOpen = true;
    defer(t, () => this.close());
  }

  close() {
    if (this.isOpen) this.socket.close();
    this.isOpen = false;
  }

  take(message) {
    const receipt = readReceipt(message);
    if (receipt === null) {
      this.others.push(message);
      return;
    }
    const known = this.receipts.get(receipt.hash) ?? [];
    this.receipts.set(receipt.hash, [...known, receipt]);
    // A short receipt, the answer to a short datagram, has only the beginning of the hash.
    for (const [hash, resolve] of this.waiting) if (hash.startsWith(receipt.hash)) resolve(receipt);
  }

  send(bytes) {
    return new Promise((resolve) => {
      if (!this.isOpen) return resolve();
      this.socket.send(bytes, this.port, '127.0.0.1', () => resolve());
    });
  }

  // Sends a transaction until its receipt comes; null when none comes in time. KNOWN says that an earlier datagram is
  // still on its way, so it is no answer to who repeats, unless it is asked for.
  async submit(raw, { timeout = 10000, again = 500, takeKnown = false } = {}) {
    const hash = hashOf(raw);
    const end = Date.now() + timeout * patience;
    let receipt = null;
    while (receipt === null && Date.now() < end) {
      const answer = new Promise((resolve) => {
        this.waiting.set(hash, (found) => (found.verdict !== 'KNOWN' || takeKnown) && resolve(found));
      });
      await this.send(bytesOf(raw));
      let timer;
      const silence = new Promise((resolve) => {
        timer = setTimeout(resolve, Math.min(again * patience, Math.max(end - Date.now(), 1)), null);
      });
      receipt = await Promise.race([answer, silence]);
      clearTimeout(timer);
    }
    this.waiting.delete(hash);
    return receipt;
  }
}
