// The workload of Caliper's rounds: argument "verb" is open, query or transfer. Each worker has accounts of its own.
'use strict'
const { WorkloadModuleBase } = require('@hyperledger/caliper-core')

class Accounts extends WorkloadModuleBase {
  async initializeWorkloadModule(...all) {
    await super.initializeWorkloadModule(...all)
    this.turn = 0
  }

  account(number) {
    return `account ${this.workerIndex}/${number % this.roundArguments.accounts}`
  }

  async submitTransaction() {
    const { verb, amount } = this.roundArguments
    const turn = this.turn++
    const args = {
      open: () => [this.account(turn), amount],
      query: () => [this.account(turn)],
      transfer: () => [this.account(turn), this.account(turn + 1), amount],
    }[verb]()
    await this.sutAdapter.sendRequests({ contract: 'accounts', verb, args, readOnly: verb === 'query' })
  }
}

module.exports.createWorkloadModule = () => new Accounts()
