using System.CommandLine;
using System.Runtime.InteropServices;
using System.Text.Json;
using Microsoft.Extensions.Logging.Abstractions;
using OllamaMax.Inference.Devices;
using OllamaMax.Inference.Native;

namespace OllamaMax.GpuWorker.Processes;

/// <summary>The command that makes this program a model's process. Not for people: it speaks frames.</summary>
internal static class EngineCommand
{
    public const string Name = "engine";

    /// <summary>The command of a process that tells what it could compute on, and ends. No argument of the other: whoever looks for models' processes finds models.</summary>
    public const string Devices = "devices";

    public static Command Create()
    {
        var command = new Command(Name, "Run one model for the worker that starts this") { Hidden = true };
        command.SetAction(async (result, cancellationToken) => await RunAsync());
        return command;
    }

    public static Command CreateDevices()
    {
        var command = new Command(Devices, "Print one line of JSON: the devices that models can be computed on") { Hidden = true };
        command.SetAction((result, cancellationToken) => PrintDevicesAsync(cancellationToken));
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

    private static async Task<int> PrintDevicesAsync(CancellationToken cancellationToken)
    {
        var (_, output) = StandardStreams.Take();
        try
        {
            InferenceDevice[] devices = [.. InferenceDevices.List(NativeKind.Default, NullLoggerFactory.Instance)];
            foreach (string reason in InferenceDevices.Unused)
                await Console.Error.WriteLineAsync(reason);
            await JsonSerializer.SerializeAsync(output, devices, EngineJson.Default.InferenceDeviceArray, cancellationToken);
            await output.WriteAsync("\n"u8.ToArray(), cancellationToken);
            return 0;
        }
        catch (ModelLoadException e)
        {
            await Console.Error.WriteLineAsync(e.Message);
            return 1;
        }
    }
}
