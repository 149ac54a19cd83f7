// What azd deploys: `azd env set NAME VALUE` fills the variables in. Defaults are those of dev.bicepparam.
using 'main.bicep'

param environmentName = readEnvironmentVariable('AZURE_ENV_NAME')
param locations = split(readEnvironmentVariable('OLLAMAMAX_LOCATIONS', readEnvironmentVariable('AZURE_LOCATION')), ',')
param signalRSku = readEnvironmentVariable('OLLAMAMAX_SIGNALR_SKU', 'Free_F1')
param alertEmail = readEnvironmentVariable('OLLAMAMAX_ALERT_EMAIL', '')
param customDomain = readEnvironmentVariable('OLLAMAMAX_CUSTOM_DOMAIN', '')
// `none` takes it out of use.
param adminKey = replace(readEnvironmentVariable('OLLAMAMAX_ADMIN_KEY', ''), 'none', '')
param contentKeys = readEnvironmentVariable('OLLAMAMAX_CONTENT_KEYS', '')
param huggingFaceToken = readEnvironmentVariable('OLLAMAMAX_HUGGING_FACE_TOKEN', '')
