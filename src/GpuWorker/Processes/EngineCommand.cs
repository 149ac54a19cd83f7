using System.CommandLine;
using System.Runtime.InteropServices;

namespace OllamaMax.GpuWorker.Processes;

/// <summary>The command that makes this program a model's process. Not for people: it speaks frames.</summary>
internal static class EngineCommand
{
    public const string Name = "engine";

    public static Command Create()
    {
        var command = new Command(Name, "Run one model for the worker that starts this") { Hidden = true };
        command.SetAction(async (result, cancellationToken) => await RunAsync());
        return command;
    }

    private static async Task<int> RunAsync()
    {
        // Ctrl-C and a service's stop reach every process of the group, but it is the worker that decides how to end: it drains first.
        using PosixSignalRegistration interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Ignore);
        using PosixSignalRegistration terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Ignore);
        using PosixSignalRegistration hangUp = PosixSignalRegistration.Create(PosixSignal.SIGHUP, Ignore);
        var (input, output) = StandardStreams.Take();
        using var host = new EngineHost(input, output, TimeProvider.System);
        return await host.RunAsync();

        static void Ignore(PosixSignalContext signal) => signal.Cancel = true;
    }
}
