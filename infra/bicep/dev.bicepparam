// To try it: one edge, the free SignalR, nothing that costs while nobody asks.
using 'main.bicep'

param environmentName = 'dev'
param locations = [readEnvironmentVariable('AZURE_LOCATION', 'westeurope')]
param signalRSku = 'Free_F1'
param storageSku = 'Standard_LRS'
param adminKey = readEnvironmentVariable('OLLAMAMAX_ADMIN_KEY', '')
param contentKeys = readEnvironmentVariable('OLLAMAMAX_CONTENT_KEYS', '')
param huggingFaceToken = readEnvironmentVariable('OLLAMAMAX_HUGGING_FACE_TOKEN', '')
