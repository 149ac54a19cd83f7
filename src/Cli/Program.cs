using System.CommandLine;
using OllamaMax.Cli;

using Interrupts interrupts = new();
using IDisposable listening = interrupts.Listen();
// Signals are ours: to the library an answer in progress and the talk that it stands in are one.
InvocationConfiguration invocation = new() { ProcessTerminationTimeout = null };
// A prompt that begins with @ is that prompt, not the name of a file with more arguments.
ParserConfiguration parser = new() { ResponseFileTokenReplacer = null };
return await RootCommands.Create(Console.In, Console.Out, Console.Error, interrupts, !Console.IsInputRedirected).Parse(args, parser).InvokeAsync(invocation, interrupts.Token);
