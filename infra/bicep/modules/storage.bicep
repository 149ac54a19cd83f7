// The one storage account: what must last in containers, what must be done in queues.
param name string
param location string
param tags object
param sku string
param auditImmutableDays int
param auditKeptDays int

@description('Containers of the function apps\' packages, one for each app.')
param packageContainers string[]

@description('The identity of the edges.')
param principalId string

// The edge makes what is missing of these at its start; tests/Infra holds the names against the code's.
var containers = ['models', 'cluster', 'jobs', 'keys', 'audit', 'taskhub']

// Models have queues of their own, made when they are first used.
var queues = ['completions', 'completions-poison']

// Owner, as the Functions host asks; with it, or Contributor, comes leave to ask for the key that signs blobs' addresses.
var roles = {
  blobs: 'b7e6dc6d-f1e8-4753-8033-0f276bb0955b'
  queues: '974c5e8b-45b9-4653-ba55-5f855dd0fb88'
  tables: '0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3'
}

resource account 'Microsoft.Storage/storageAccounts@2023-05-01' = {
  name: name
  location: location
  tags: tags
  kind: 'StorageV2'
  sku: { name: sku }
  properties: {
    minimumTlsVersion: 'TLS1_2'
    supportsHttpsTrafficOnly: true
    allowBlobPublicAccess: false
    defaultToOAuthAuthentication: true
    // Addresses of queues can be signed with the account's key only.
    allowSharedKeyAccess: true
    // Workers come from anywhere, with signatures.
    publicNetworkAccess: 'Enabled'
  }
}

resource blobs 'Microsoft.Storage/storageAccounts/blobServices@2023-05-01' = {
  parent: account
  name: 'default'
  properties: {
    // What is deleted is gone: prompts and answers are promised not to outlive their retention.
    deleteRetentionPolicy: { enabled: false }
    containerDeleteRetentionPolicy: { enabled: false }
    isVersioningEnabled: false
  }
}

resource folders 'Microsoft.Storage/storageAccounts/blobServices/containers@2023-05-01' = [
  for container in concat(containers, packageContainers): {
    parent: blobs
    name: container
    properties: { publicAccess: 'None' }
  }
]

// Unlocked, so that a mistake can be taken back; docs/deployment.md says how to lock it. Blocks can be appended all the same.
resource immutable 'Microsoft.Storage/storageAccounts/blobServices/containers/immutabilityPolicies@2023-05-01' = if (auditImmutableDays > 0) {
  parent: folders[indexOf(containers, 'audit')]
  name: 'default'
  properties: {
    immutabilityPeriodSinceCreationInDays: auditImmutableDays
    allowProtectedAppendWrites: true
  }
}

resource queueService 'Microsoft.Storage/storageAccounts/queueServices@2023-05-01' = {
  parent: account
  name: 'default'
}

resource queueList 'Microsoft.Storage/storageAccounts/queueServices/queues@2023-05-01' = [
  for queue in queues: {
    parent: queueService
    name: queue
  }
]

// The leader deletes these long before; this is for what is left where no edge has run for a month.
var leftovers = {
  name: 'leftovers'
  enabled: true
  type: 'Lifecycle'
  definition: {
    filters: { blobTypes: ['blockBlob', 'appendBlob'], prefixMatch: ['models/uploads/', 'models/partial/', 'jobs/payloads/'] }
    actions: { baseBlob: { delete: { daysAfterModificationGreaterThan: 30 } } }
  }
}

var oldAudit = {
  name: 'old-audit'
  enabled: true
  type: 'Lifecycle'
  definition: {
    filters: { blobTypes: ['appendBlob'], prefixMatch: ['audit/'] }
    actions: { baseBlob: { delete: { daysAfterModificationGreaterThan: max(auditKeptDays, auditImmutableDays + 1) } } }
  }
}

resource lifecycle 'Microsoft.Storage/storageAccounts/managementPolicies@2023-05-01' = {
  parent: account
  name: 'default'
  properties: { policy: { rules: auditKeptDays > 0 ? [leftovers, oldAudit] : [leftovers] } }
}

resource grants 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for role in items(roles): {
    name: guid(account.id, principalId, role.value)
    scope: account
    properties: {
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', role.value)
      principalId: principalId
      principalType: 'ServicePrincipal'
    }
  }
]

output name string = account.name
