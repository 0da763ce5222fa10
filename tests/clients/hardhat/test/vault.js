const { expect } = require('chai')
const { ethers } = require('hardhat')

describe('Vault', () => {
  let vault, owner, other
  before(async () => {
    ;[owner, other] = await ethers.getSigners()
    vault = await ethers.deployContract('Vault', [1], { value: 5n })
    await vault.waitForDeployment()
  })

  it('belongs to who made it', async () => {
    expect(await vault.owner()).to.equal(owner.address)
    expect(await ethers.provider.getBalance(vault)).to.equal(5n)
  })

  it('emits what was deposited', async () => {
    await expect(vault.connect(other).deposit({ value: 7n })).to.emit(vault, 'Deposited').withArgs(other.address, 7n)
  })

  it('moves money', async () => {
    await expect(vault.withdraw(3n)).to.changeEtherBalances([vault, owner], [-3n, 3n])
    await expect(vault.withdraw(1n)).to.emit(vault, 'Withdrawn').and.not.to.emit(vault, 'Deposited')
  })

  it('gives the reason of a revert', async () => {
    await expect(vault.connect(other).withdraw(1n)).to.be.revertedWith('only the owner')
    await expect(vault.connect(other).withdraw.staticCall(1n)).to.be.revertedWith('only the owner')
    await expect(vault.withdraw(10n ** 18n)).to.be.revertedWithoutReason()
  })

  it('gives an error with its values', async () => {
    const never = 2n ** 60n
    const closed = await ethers.deployContract('Vault', [never])
    await expect(closed.withdraw(0n)).to.be.revertedWithCustomError(closed, 'TooEarly').withArgs((now) => now > 0n, never)
    await expect(closed.withdraw.staticCall(0n)).to.be.revertedWithCustomError(closed, 'TooEarly')
  })

  it('fails in a block as it fails in a call', async () => {
    const sent = await vault.connect(other).withdraw(1n, { gasLimit: 100000n })
    await expect(sent.wait()).to.be.rejected
    expect((await ethers.provider.getTransactionReceipt(sent.hash)).status).to.equal(0)
    await expect(sent).to.be.reverted
  })
})
