// What has to stay a secret, because no identity can stand in for it.
param name string
param location string
param tags object
param storageName string
param signalRName string

@secure()
param adminKey string

@description('Whether there is an adminKey: said apart, as nothing that is told on may come from a secret.')
param hasAdminKey bool

@secure()
param contentKeys string

@description('Whether there are contentKeys; said apart, too.')
param hasContentKeys bool

@secure()
param huggingFaceToken string

@description('Whether there is a huggingFaceToken; said apart, too.')
param hasHuggingFaceToken bool

@description('The identity that reads the secrets.')
param principalId string

var secretsUser = '4633458b-17de-408a-b874-0445c86b69e6'

resource vault 'Microsoft.KeyVault/vaults@2023-07-01' = {
  name: name
  location: location
  tags: tags
  properties: {
    tenantId: subscription().tenantId
    sku: { family: 'A', name: 'standard' }
    enableRbacAuthorization: true
    // Its name can be used again after a week.
    enableSoftDelete: true
    softDeleteRetentionInDays: 7
  }
}

resource reads 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(vault.id, principalId, secretsUser)
  scope: vault
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', secretsUser)
    principalId: principalId
    principalType: 'ServicePrincipal'
  }
}

resource storage 'Microsoft.Storage/storageAccounts@2023-05-01' existing = {
  name: storageName
}

resource signalR 'Microsoft.SignalRService/signalR@2024-03-01' existing = {
  name: signalRName
}

@description('Signs the addresses of queues that workers are given.')
resource storageKey 'Microsoft.KeyVault/vaults/secrets@2023-07-01' = {
  parent: vault
  name: 'storage-key'
  properties: { value: storage.listKeys().keys[0].value }
}

@description('Signs clients\' and workers\' tokens for SignalR.')
resource signalRConnection 'Microsoft.KeyVault/vaults/secrets@2023-07-01' = {
  parent: vault
  name: 'signalr-connection'
  properties: { value: signalR.listKeys().primaryConnectionString }
}

resource firstKey 'Microsoft.KeyVault/vaults/secrets@2023-07-01' = if (hasAdminKey) {
  parent: vault
  name: 'admin-key'
  properties: { value: adminKey }
}

resource storedContent 'Microsoft.KeyVault/vaults/secrets@2023-07-01' = if (hasContentKeys) {
  parent: vault
  name: 'content-keys'
  properties: { value: contentKeys }
}

resource gatedModels 'Microsoft.KeyVault/vaults/secrets@2023-07-01' = if (hasHuggingFaceToken) {
  parent: vault
  name: 'hugging-face-token'
  properties: { value: huggingFaceToken }
}

output name string = vault.name

// Without a version: the apps follow a key that is rotated within a day.
@description('Settings of the edge as references to their secrets.')
output settings object = union(
  {
    AzureSignalRConnectionString: '@Microsoft.KeyVault(SecretUri=${signalRConnection.properties.secretUri})'
    OllamaMax__Storage__AccountKey: '@Microsoft.KeyVault(SecretUri=${storageKey.properties.secretUri})'
  },
  hasAdminKey ? { OllamaMax__Keys__AdminKey: '@Microsoft.KeyVault(SecretUri=${firstKey!.properties.secretUri})' } : {},
  hasContentKeys ? { OllamaMax__ContentKeys__Keys: '@Microsoft.KeyVault(SecretUri=${storedContent!.properties.secretUri})' } : {},
  hasHuggingFaceToken ? { HF_TOKEN: '@Microsoft.KeyVault(SecretUri=${gatedModels!.properties.secretUri})' } : {}
)
