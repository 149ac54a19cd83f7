using System.CommandLine;
using OllamaMax.GpuWorker;
using OllamaMax.SignalR;

EnvironmentProxy.ExceptThisMachine();
// Signals are ours: System.CommandLine would end a draining worker, and the models' processes that ignore them, after two seconds.
InvocationConfiguration invocation = new() { ProcessTerminationTimeout = null };
// A text that begins with @ is that text, not the name of a file with more arguments.
ParserConfiguration parser = new() { ResponseFileTokenReplacer = null };
return await WorkerCommand.Create().Parse(args, parser).InvokeAsync(invocation);
