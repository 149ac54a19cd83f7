using System.Runtime.Versioning;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Console;

namespace OllamaMax.GpuWorker.Health;

/// <summary>One line per event, ours from information on, others' from warnings on.</summary>
public static class PlainLogging
{
    public static void Configure(ILoggingBuilder logging)
    {
        logging.ClearProviders();
        logging.Services.TryAddSingleton(TimeProvider.System);
        logging.AddConsole(console => console.FormatterName = PlainConsoleFormatter.FormatterName);
        logging.AddConsoleFormatter<PlainConsoleFormatter, ConsoleFormatterOptions>();
        SetLevels(logging);
    }

    /// <summary>The same lines in Windows' event log, for a service, which has no console.</summary>
    [SupportedOSPlatform("windows")]
    internal static void ConfigureEventLog(ILoggingBuilder logging)
    {
        logging.ClearProviders();
        logging.Services.TryAddSingleton(TimeProvider.System);
        logging.AddEventLog(log => log.SourceName = WindowsService.Name);
        SetLevels(logging);
    }

    /// <summary>What is worth a line, wherever the lines go.</summary>
    internal static void SetLevels(ILoggingBuilder logging)
    {
        logging.SetMinimumLevel(LogLevel.Warning);
        logging.AddFilter("OllamaMax", LogLevel.Information);
        // The listener says what its connection does, without the stack of every failed attempt.
        logging.AddFilter("Microsoft.AspNetCore.Http.Connections.Client", LogLevel.Critical);
        logging.AddFilter("Microsoft.AspNetCore.SignalR.Client", LogLevel.Critical);
        // It warns of much that is as intended, such as a context shared by all slots.
        logging.AddFilter("llama.cpp", LogLevel.Error);
    }
}
