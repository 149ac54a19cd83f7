using System.CommandLine;
using OllamaMax.GpuWorker;
using OllamaMax.SignalR;

EnvironmentProxy.ExceptThisMachine();
// Signals are ours: System.CommandLine would cut a drain short after two seconds.
InvocationConfiguration invocation = new() { ProcessTerminationTimeout = null };
return await WorkerCommand.Create().Parse(args).InvokeAsync(invocation);
