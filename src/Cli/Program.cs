using System.CommandLine;
using OllamaMax.Cli;

// Ctrl-C ends what runs, and an answer in progress first of all: not after the library's own patience.
InvocationConfiguration invocation = new() { ProcessTerminationTimeout = TimeSpan.FromSeconds(10) };
return await RootCommands.Create(Console.In, Console.Out, Console.Error).Parse(args).InvokeAsync(invocation);
