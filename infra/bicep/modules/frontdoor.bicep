// One URL, and one certificate, before several edges.
param name string
param endpointName string
param tags object

@description('Host names of the edges.')
param hosts string[]

@description('Empty: the name that Azure gives.')
param customDomain string

@description('0: no probes, edges may sleep.')
param healthProbeSeconds int

resource profile 'Microsoft.Cdn/profiles@2024-02-01' = {
  name: name
  location: 'global'
  tags: tags
  sku: { name: 'Standard_AzureFrontDoor' }
  // The longest silence there is; the edge writes something every 15 s, in one piece answers after 200 s.
  properties: { originResponseTimeoutSeconds: 240 }
}

resource endpoint 'Microsoft.Cdn/profiles/afdEndpoints@2024-02-01' = {
  parent: profile
  name: endpointName
  location: 'global'
  tags: tags
  properties: { enabledState: 'Enabled' }
}

resource edges 'Microsoft.Cdn/profiles/originGroups@2024-02-01' = {
  parent: profile
  name: 'edges'
  properties: {
    loadBalancingSettings: { sampleSize: 4, successfulSamplesRequired: 3, additionalLatencyInMilliseconds: 50 }
    // Any edge serves any request.
    sessionAffinityState: 'Disabled'
    healthProbeSettings: healthProbeSeconds > 0
      ? { probePath: '/healthz', probeRequestType: 'GET', probeProtocol: 'Https', probeIntervalInSeconds: healthProbeSeconds }
      : null
  }
}

resource origins 'Microsoft.Cdn/profiles/originGroups/origins@2024-02-01' = [
  for (host, index) in hosts: {
    parent: edges
    name: 'edge-${index}'
    properties: {
      hostName: host
      originHostHeader: host
      httpsPort: 443
      priority: 1
      weight: 1000
      enforceCertificateNameCheck: true
    }
  }
]

resource domain 'Microsoft.Cdn/profiles/customDomains@2024-02-01' = if (!empty(customDomain)) {
  parent: profile
  name: replace(empty(customDomain) ? 'none' : customDomain, '.', '-')
  properties: {
    hostName: customDomain
    tlsSettings: { certificateType: 'ManagedCertificate', minimumTlsVersion: 'TLS12' }
  }
}

resource route 'Microsoft.Cdn/profiles/afdEndpoints/routes@2024-02-01' = {
  parent: endpoint
  name: 'all'
  // A route to a group without origins is refused.
  dependsOn: [origins]
  properties: {
    originGroup: { id: edges.id }
    customDomains: empty(customDomain) ? [] : [{ id: domain.id }]
    supportedProtocols: ['Https']
    patternsToMatch: ['/*']
    forwardingProtocol: 'HttpsOnly'
    linkToDefaultDomain: 'Enabled'
    // Without cacheConfiguration nothing is cached, compressed or held back: streams go through as they come.
    httpsRedirect: 'Disabled'
    enabledState: 'Enabled'
  }
}

output url string = empty(customDomain) ? 'https://${endpoint.properties.hostName}' : 'https://${customDomain}'

@description('Records for the custom domain.')
output dnsRecords string[] = empty(customDomain)
  ? []
  : [
      'CNAME ${customDomain} ${endpoint.properties.hostName}'
      'TXT _dnsauth.${customDomain} ${domain!.properties.validationProperties.validationToken}'
    ]
