// TLS for tests: a certificate that has signed itself, and a client that trusts it.
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import https from 'node:https';
import path from 'node:path';

// Files NAME.crt and NAME.key in the folder: { certificate, key, ca, args }.
export function makeCertificate(folder, name = 'server') {
  const [certificate, key] = ['crt', 'key'].map((ending) => path.join(folder, `${name}.${ending}`));
  execFileSync('openssl', [
    'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2', '-subj', '/CN=localhost',
    '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1', '-keyout', key, '-out', certificate,
  ], { stdio: 'ignore' });
  return { certificate, key, ca: fs.readFileSync(certificate), args: ['--rpc-tls-certificate', certificate, '--rpc-tls-key', key] };
}

// Calls over one kept connection.
export class Secure {
  constructor(node, { ca }, options = {}) {
    this.port = node.rpcPort;
    this.agent = new https.Agent({ ca, keepAlive: true, maxSockets: 1, ...options });
  }

  post(body, { method = 'POST', headers } = {}) {
    return new Promise((resolve, reject) => {
      const request = https.request({ port: this.port, host: '127.0.0.1', method, agent: this.agent, headers: { 'content-type': 'application/json', ...headers } }, (response) => {
        let text = '';
        const protocol = response.socket.getProtocol();
        response.on('data', (data) => (text += data)).on('end', () => resolve({ status: response.statusCode, headers: response.headers, protocol, text }));
      });
      request.on('error', reject);
      request.end(body);
    });
  }

  async ask(method, params = []) {
    return JSON.parse((await this.post(JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }))).text);
  }

  close() {
    this.agent.destroy();
  }
}
