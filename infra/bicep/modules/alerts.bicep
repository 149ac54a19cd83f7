// Alerts over what all instances report, which a scrape of a function app cannot be: it meets one of them, and never the leader's. Each is a heading of docs/runbook.md.
param name string
param location string
param tags object

@description('Application Insights, which the queries of ops/azure/alerts.json ask.')
param insightsId string

@description('Who is told.')
param email string

var rules = loadJsonContent('../../../ops/azure/alerts.json')

resource group 'Microsoft.Insights/actionGroups@2023-01-01' = {
  name: 'ag-${name}'
  location: 'global'
  tags: tags
  properties: {
    groupShortName: 'ollamamax'
    enabled: true
    emailReceivers: [{ name: 'operator', emailAddress: email, useCommonAlertSchema: true }]
  }
}

resource alerts 'Microsoft.Insights/scheduledQueryRules@2021-08-01' = [
  for rule in rules: {
    name: '${name}-${rule.name}'
    location: location
    tags: tags
    properties: {
      displayName: rule.name
      description: '${rule.text}. docs/runbook.md#${toLower(rule.name)}'
      enabled: true
      severity: rule.severity
      scopes: [insightsId]
      // The seldomer, the cheaper; a leader looks once a minute, and what it reports comes within two.
      evaluationFrequency: 'PT15M'
      windowSize: 'PT15M'
      criteria: {
        allOf: [
          {
            query: rule.query
            timeAggregation: 'Count'
            operator: 'GreaterThan'
            threshold: 0
            failingPeriods: { numberOfEvaluationPeriods: 1, minFailingPeriodsToAlert: 1 }
          }
        ]
      }
      autoMitigate: true
      actions: { actionGroups: [group.id] }
    }
  }
]
