using System.Collections.Concurrent;
using System.Text.Json;
using Microsoft.Extensions.Logging;
using OllamaMax.Inference.Devices;
using OllamaMax.Inference.Native;

namespace OllamaMax.GpuWorker.Processes;

/// <summary>
/// Asks a process of its own what models could be computed on: to know it a native library must be loaded, whose drivers can end a process, and which
/// would hold memory of every GPU for as long as the worker lives.
/// </summary>
internal static partial class DeviceProbe
{
    /// <summary>A driver that has never run since the machine's start can take half of it.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    /// <exception cref="ModelLoadException">The process cannot say it; the message is one line.</exception>
    /// <exception cref="OperationCanceledException"/>
    public static async Task<IReadOnlyList<InferenceDevice>> AskAsync(ILogger logger, TimeProvider time, CancellationToken cancellationToken)
    {
        ConcurrentQueue<string> lines = new();
        using ModelProcess process = Start(lines.Enqueue);
        using var patience = new CancellationTokenSource(Patience, time);
        using var ends = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, cancellationToken);
        try
        {
            using var reader = new StreamReader(process.Output);
            string text = await reader.ReadToEndAsync(ends.Token);
            ProcessEnd end = await process.Exit.WaitAsync(ends.Token);
            IReadOnlyList<InferenceDevice> devices = Read(text)
                ?? throw new ModelLoadException($"the process that looks for devices ended ({end.How}): {lines.LastOrDefault("")}");
            // A box that was given a GPU's libraries is meant to use it.
            foreach (string line in lines)
                LogRemark(logger, line);
            return devices;
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new ModelLoadException($"the process that looks for devices said nothing for {Patience.TotalSeconds} s");
        }
        finally
        {
            process.Kill();
        }
    }

    /// <returns>Null where it is no list of devices.</returns>
    public static IReadOnlyList<InferenceDevice>? Read(string text)
    {
        try
        {
            return JsonSerializer.Deserialize(text, EngineJson.Default.InferenceDeviceArray);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Looking for devices: {Remark}")]
    private static partial void LogRemark(ILogger logger, string remark);

    private static ModelProcess Start(Action<string> onErrorLine)
    {
        try
        {
            return ModelProcess.Start(onErrorLine, EngineCommand.Devices);
        }
        catch (System.ComponentModel.Win32Exception e)
        {
            throw new ModelLoadException($"the process that looks for devices cannot be started: {e.Message}", e);
        }
    }
}
