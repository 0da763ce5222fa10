const { ethers } = require('hardhat')

async function main() {
  const vault = await ethers.deployContract('Vault', [1], { value: 11n })
  await vault.waitForDeployment()
  console.log(`Vault at ${await vault.getAddress()} with ${await ethers.provider.getBalance(vault)} wei`)
}

main().catch((error) => {
  console.error(error)
  process.exitCode = 1
})
