using OllamaMax.GpuWorker;
using OllamaMax.SignalR;

EnvironmentProxy.ExceptThisMachine();
return await WorkerCommand.Create().Parse(args).InvokeAsync();
