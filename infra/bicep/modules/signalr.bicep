// Streaming between edges, workers and browsers.
param name string
param location string
param tags object
param sku string
param units int
param webOrigins string[]

resource service 'Microsoft.SignalRService/signalR@2024-03-01' = {
  name: name
  location: location
  tags: tags
  kind: 'SignalR'
  sku: { name: sku, capacity: sku == 'Free_F1' ? 1 : units }
  properties: {
    features: [{ flag: 'ServiceMode', value: 'Serverless' }]
    // Reply capabilities are tokens for one URL each, which only the access key can make (docs/adr/0001).
    disableLocalAuth: false
    cors: { allowedOrigins: webOrigins }
    publicNetworkAccess: 'Enabled'
    tls: { clientCertEnabled: false }
  }
}

output name string = service.name
