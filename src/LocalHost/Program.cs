using System.CommandLine;
using OllamaMax.LocalHost;
using OllamaMax.SignalR;

EnvironmentProxy.ExceptThisMachine();
// Signals are ours (Shutdown): System.CommandLine would cut a clean end short after two seconds.
InvocationConfiguration invocation = new() { ProcessTerminationTimeout = null };
return await LocalHostCommand.Create(LocalHostApp.RunAsync).Parse(args).InvokeAsync(invocation);
