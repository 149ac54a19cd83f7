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
        logging.SetMinimumLevel(LogLevel.Warning);
        logging.AddFilter("OllamaMax", LogLevel.Information);
        // It warns of much that is as intended, such as a context shared by all slots.
        logging.AddFilter("llama.cpp", LogLevel.Error);
    }
}
