// To rely on: two edges behind one name, a SignalR unit, three copies of what is stored, an audit log that nobody changes.
using 'main.bicep'

param environmentName = 'prod'
param locations = split(readEnvironmentVariable('OLLAMAMAX_LOCATIONS', 'westeurope,northeurope'), ',')
param signalRSku = 'Standard_S1'
param signalRUnits = 1
param storageSku = 'Standard_ZRS'
param maximumInstances = 100
param alwaysReady = 1
param auditImmutableDays = 365
param auditKeptDays = 400
param logDays = 90
param healthProbeSeconds = 120
param alertEmail = readEnvironmentVariable('OLLAMAMAX_ALERT_EMAIL', '')
param customDomain = readEnvironmentVariable('OLLAMAMAX_CUSTOM_DOMAIN', '')
param adminKey = readEnvironmentVariable('OLLAMAMAX_ADMIN_KEY', '')
param contentKeys = readEnvironmentVariable('OLLAMAMAX_CONTENT_KEYS', '')
param huggingFaceToken = readEnvironmentVariable('OLLAMAMAX_HUGGING_FACE_TOKEN', '')
