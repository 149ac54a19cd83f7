// Everything that the edge needs in Azure, in one resource group: docs/deployment.md walks through it.
targetScope = 'subscription'

@description('Part of every name: letters, digits and dashes. Another one is another system.')
@minLength(2)
@maxLength(12)
param environmentName string

@description('Regions of the edges, the first one first. Storage, SignalR and keys stand in the first.')
@minLength(1)
param locations string[]

@description('Name of the resource group; it is made.')
param resourceGroupName string = 'rg-ollamamax-${environmentName}'

@description('SignalR: Free_F1 has 20 connections (one for each worker, each edge instance and each following browser) and 20,000 messages a day; Standard_S1 costs per unit, used or not.')
@allowed(['Free_F1', 'Standard_S1'])
param signalRSku string = 'Free_F1'

@description('Units of Standard_S1: each has 1,000 connections and about 200 sends a second to users.')
@allowed([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 20, 30, 40, 50, 60, 70, 80, 90, 100])
param signalRUnits int = 1

@description('Copies of what is stored: Standard_LRS, in one data centre; Standard_ZRS, in three.')
@allowed(['Standard_LRS', 'Standard_ZRS', 'Standard_GRS', 'Standard_GZRS'])
param storageSku string = 'Standard_LRS'

@description('Memory of an instance of the edge, in MB. An instance that holds a stream is billed for it: small ones with many streams cost least.')
@allowed([512, 2048, 4096])
param instanceMemoryMB int = 2048

@description('HTTP requests that an instance has at once before there is another one. Most of them wait for tokens.')
@minValue(1)
@maxValue(1000)
param httpConcurrency int = 100

@description('Most instances of each edge: the limit of what can be billed.')
@minValue(1)
@maxValue(1000)
param maximumInstances int = 40

@description('Instances for HTTP that are kept even while nobody asks, so that nobody waits for a cold start; billed all the time.')
@minValue(0)
@maxValue(20)
param alwaysReady int = 0

@description('Days for which nobody, the owner included, changes or deletes a record of the audit log; 0: no such policy.')
@minValue(0)
@maxValue(3650)
param auditImmutableDays int = 0

@description('The policy was locked by hand (docs/deployment.md): it is not written any more, which Azure would refuse.')
param auditLocked bool = false

@description('Days after which a part of the audit log is deleted; more than auditImmutableDays. 0: kept for good.')
@minValue(0)
@maxValue(3650)
param auditKeptDays int = 400

@description('The first admin key: omx_, 16 lower-case hex digits, _, 64 more. It is put into Key Vault and is good for as long as it is given here; empty: none.')
@secure()
param adminKey string = ''

@description('Keys that prompts and answers are encrypted with where they lie: id:key with commas between, the key 32 bytes in base64; the first encrypts, all decrypt. Put into Key Vault. Given, encryption is on, unless edgeSettings say otherwise (OllamaMax__Dispatch__EncryptPayloads). Empty: none.')
@secure()
param contentKeys string = ''

@description('A token of Hugging Face (read), for gated and private models. Put into Key Vault. Registries of your own: edgeSettings with references to secrets (docs/deployment.md). Empty: none.')
@secure()
param huggingFaceToken string = ''

@description('One name for all edges, such as llm.example.org; it needs Azure Front Door, and DNS records that the outputs tell. Empty: none.')
param customDomain string = ''

@description('Azure Front Door before the edges: one URL for several, and for a custom domain. Costs per month, used or not.')
param frontDoor bool = length(locations) > 1 || !empty(customDomain)

@description('Seconds between looks of Front Door at each edge; 0: it does not look, and edges may sleep. Only with several edges.')
@minValue(0)
@maxValue(255)
param healthProbeSeconds int = 0

@description('Origins of web pages that may listen to SignalR directly, as clients/typescript does.')
param webOrigins string[] = ['*']

@description('More settings of the edge, such as OllamaMax__Tenants__Default__RequestsPerMinute.')
param edgeSettings object = {}

@description('Who is told when one of ops/azure/alerts.json goes off; empty: no alerts are made.')
param alertEmail string = ''

@description('Days for which logs are kept.')
@minValue(30)
@maxValue(730)
param logDays int = 30

var location = locations[0]
var tags = { 'azd-env-name': environmentName }
// Names are the world's: the same ones whenever it is deployed again, other ones in another subscription.
var token = uniqueString(subscription().id, resourceGroupName, environmentName)

resource group 'Microsoft.Resources/resourceGroups@2024-03-01' = {
  name: resourceGroupName
  location: location
  tags: tags
}

module identity 'modules/identity.bicep' = {
  name: 'identity'
  scope: group
  params: {
    name: 'id-ollamamax-${environmentName}'
    location: location
    tags: tags
  }
}

module monitoring 'modules/monitoring.bicep' = {
  name: 'monitoring'
  scope: group
  params: {
    name: 'ollamamax-${environmentName}'
    location: location
    tags: tags
    logDays: logDays
    principalId: identity.outputs.principalId
  }
}

module alerts 'modules/alerts.bicep' = if (!empty(alertEmail)) {
  name: 'alerts'
  scope: group
  params: {
    name: 'ollamamax-${environmentName}'
    location: location
    tags: tags
    insightsId: monitoring.outputs.id
    email: alertEmail
  }
}

module storage 'modules/storage.bicep' = {
  name: 'storage'
  scope: group
  params: {
    name: 'omx${token}'
    location: location
    tags: tags
    sku: storageSku
    auditImmutableDays: auditLocked ? 0 : auditImmutableDays
    auditKeptDays: auditKeptDays
    packageContainers: [for (region, index) in locations: 'app-package-${index}']
    principalId: identity.outputs.principalId
  }
}

module signalR 'modules/signalr.bicep' = {
  name: 'signalr'
  scope: group
  params: {
    name: 'sigr-ollamamax-${token}'
    location: location
    tags: tags
    sku: signalRSku
    units: signalRUnits
    webOrigins: webOrigins
  }
}

module vault 'modules/vault.bicep' = {
  name: 'vault'
  scope: group
  params: {
    name: 'kv-omx-${token}'
    location: location
    tags: tags
    storageName: storage.outputs.name
    signalRName: signalR.outputs.name
    adminKey: adminKey
    hasAdminKey: !empty(adminKey)
    contentKeys: contentKeys
    hasContentKeys: !empty(contentKeys)
    huggingFaceToken: huggingFaceToken
    hasHuggingFaceToken: !empty(huggingFaceToken)
    principalId: identity.outputs.principalId
  }
}

module edges 'modules/edge.bicep' = [
  for (region, index) in locations: {
    name: 'edge-${index}'
    scope: group
    params: {
      // The host knows an app by the first 32 characters of its name: apps over one account must differ in them.
      name: 'omx-${token}-${index}'
      location: region
      // azd deploys to the one app that has this tag; infra/deploy-edges.sh to all.
      tags: index == 0 ? union(tags, { 'azd-service-name': 'edge' }) : tags
      identityId: identity.outputs.id
      identityClientId: identity.outputs.clientId
      storageName: storage.outputs.name
      packageContainer: 'app-package-${index}'
      vaultSettings: vault.outputs.settings
      applicationInsightsConnectionString: monitoring.outputs.connectionString
      instanceMemoryMB: instanceMemoryMB
      httpConcurrency: httpConcurrency
      maximumInstances: maximumInstances
      alwaysReady: alwaysReady
      moreSettings: union(!empty(contentKeys) ? { OllamaMax__Dispatch__EncryptPayloads: 'true' } : {}, edgeSettings)
    }
  }
]

module front 'modules/frontdoor.bicep' = if (frontDoor) {
  name: 'frontdoor'
  scope: group
  params: {
    name: 'fd-ollamamax-${environmentName}'
    endpointName: 'omx-${token}'
    tags: tags
    hosts: [for (region, index) in locations: edges[index].outputs.host]
    customDomain: customDomain
    healthProbeSeconds: healthProbeSeconds
  }
}

@description('Where clients and workers go to: --edge of a worker.')
output EDGE_URL string = front.?outputs.url ?? 'https://${edges[0].outputs.host}'

@description('Each edge by itself.')
output EDGE_URLS string[] = [for (region, index) in locations: 'https://${edges[index].outputs.host}']

@description('Names of the function apps, for infra/deploy-edges.sh.')
output EDGE_APPS string[] = [for (region, index) in locations: edges[index].outputs.name]

output AZURE_RESOURCE_GROUP string = group.name
output AZURE_LOCATION string = location
output KEY_VAULT_NAME string = vault.outputs.name
output STORAGE_ACCOUNT_NAME string = storage.outputs.name

@description('Makes a join token, good for one box and once; ADMIN is an admin\'s, an operator\'s or a worker\'s key.')
output JOIN_TOKEN_COMMAND string = 'curl -fsS -X POST ${front.?outputs.url ?? 'https://${edges[0].outputs.host}'}/cluster/join-tokens -H "Authorization: Bearer $ADMIN"'

@description('What a box is told, in the folder of a published worker.')
output JOIN_COMMAND string = 'sudo OLLAMAMAX_JOIN_TOKEN=... ./install.sh --edge ${front.?outputs.url ?? 'https://${edges[0].outputs.host}'}'

@description('DNS records that a custom domain needs before its certificate can be made.')
output DNS_RECORDS string[] = front.?outputs.dnsRecords ?? []
