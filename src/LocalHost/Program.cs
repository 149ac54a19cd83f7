using System.CommandLine;
using OllamaMax.LocalHost;
using OllamaMax.SignalR;

EnvironmentProxy.ExceptThisMachine();
// Signals are ours (Shutdown): System.CommandLine would cut a clean end short after two seconds.
InvocationConfiguration invocation = new() { ProcessTerminationTimeout = null };
// A text that begins with @ is that text, not the name of a file with more arguments.
ParserConfiguration parser = new() { ResponseFileTokenReplacer = null };
return await LocalHostCommand.Create(LocalHostApp.RunAsync).Parse(args, parser).InvokeAsync(invocation);
