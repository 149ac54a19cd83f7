using System.Runtime.Versioning;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Console;
using OllamaMax.Diagnostics;

namespace OllamaMax.GpuWorker.Health;

/// <summary>One line per event.</summary>
public static class PlainLogging
{
    public static void Configure(ILoggingBuilder logging)
    {
        logging.ClearProviders();
        logging.Services.TryAddSingleton(TimeProvider.System);
        logging.AddConsole(console => console.FormatterName = PlainConsoleFormatter.FormatterName);
        logging.AddConsoleFormatter<PlainConsoleFormatter, ConsoleFormatterOptions>();
        LogLevels.Set(logging);
    }

    /// <summary>The same lines in Windows' event log, for a service, which has no console.</summary>
    [SupportedOSPlatform("windows")]
    internal static void ConfigureEventLog(ILoggingBuilder logging)
    {
        logging.ClearProviders();
        logging.Services.TryAddSingleton(TimeProvider.System);
        logging.AddEventLog(log => log.SourceName = WindowsService.Name);
        LogLevels.Set(logging);
    }
}
