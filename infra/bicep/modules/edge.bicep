// One edge: a function app on Flex Consumption. Several may stand over the same storage, SignalR and keys.
param name string
param location string
param tags object

@description('The identity that the app is.')
param identityId string
param identityClientId string

param storageName string

@description('Container of the app\'s package, in that account.')
param packageContainer string

@description('Settings whose values are references to Key Vault.')
param vaultSettings object

@description('Not a secret: the identity writes, and it alone.')
param applicationInsightsConnectionString string

param instanceMemoryMB int
param httpConcurrency int
param maximumInstances int
param alwaysReady int
param moreSettings object

resource storage 'Microsoft.Storage/storageAccounts@2023-05-01' existing = {
  name: storageName
}

// The host's storage, the trigger's and the durable hub's, entered by the identity; the edge reads the first of the addresses too.
var storageSettings = {
  AzureWebJobsStorage__credential: 'managedidentity'
  AzureWebJobsStorage__clientId: identityClientId
  AzureWebJobsStorage__blobServiceUri: storage.properties.primaryEndpoints.blob
  AzureWebJobsStorage__queueServiceUri: storage.properties.primaryEndpoints.queue
  AzureWebJobsStorage__tableServiceUri: storage.properties.primaryEndpoints.table
}

var identitySettings = {
  AZURE_CLIENT_ID: identityClientId
  // Nothing else is tried first: that would be part of every cold start.
  AZURE_TOKEN_CREDENTIALS: 'ManagedIdentityCredential'
  APPLICATIONINSIGHTS_CONNECTION_STRING: applicationInsightsConnectionString
  APPLICATIONINSIGHTS_AUTHENTICATION_STRING: 'ClientId=${identityClientId};Authorization=AAD'
}
var costSettings = {
  // What an instance's time is counted by in /cluster/cost.
  OllamaMax__Costs__FunctionMemoryMB: string(instanceMemoryMB)
}

resource plan 'Microsoft.Web/serverfarms@2024-04-01' = {
  name: 'plan-${name}'
  location: location
  tags: tags
  kind: 'functionapp'
  sku: { tier: 'FlexConsumption', name: 'FC1' }
  properties: { reserved: true }
}

resource app 'Microsoft.Web/sites@2024-04-01' = {
  name: name
  location: location
  tags: tags
  kind: 'functionapp,linux'
  identity: { type: 'UserAssigned', userAssignedIdentities: { '${identityId}': {} } }
  properties: {
    serverFarmId: plan.id
    httpsOnly: true
    keyVaultReferenceIdentity: identityId
    functionAppConfig: {
      deployment: {
        storage: {
          type: 'blobContainer'
          value: '${storage.properties.primaryEndpoints.blob}${packageContainer}'
          authentication: { type: 'UserAssignedIdentity', userAssignedIdentityResourceId: identityId }
        }
      }
      runtime: { name: 'dotnet-isolated', version: '10.0' }
      scaleAndConcurrency: {
        instanceMemoryMB: instanceMemoryMB
        maximumInstanceCount: maximumInstances
        alwaysReady: alwaysReady > 0 ? [{ name: 'http', instanceCount: alwaysReady }] : []
        triggers: { http: { perInstanceConcurrency: httpConcurrency } }
      }
    }
    siteConfig: { minTlsVersion: '1.2' }
  }

  resource settings 'config' = {
    name: 'appsettings'
    properties: union(storageSettings, identitySettings, costSettings, vaultSettings, moreSettings)
  }
}

output name string = app.name
output host string = app.properties.defaultHostName
