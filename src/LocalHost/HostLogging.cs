using Microsoft.Extensions.Logging;

namespace OllamaMax.LocalHost;

/// <summary>One line per event, ours from information on, others' from warnings on.</summary>
internal static class HostLogging
{
    public static void Configure(ILoggingBuilder logging)
    {
        logging.ClearProviders();
        logging.AddSimpleConsole(console =>
        {
            console.SingleLine = true;
            console.TimestampFormat = "HH:mm:ss ";
        });
        logging.SetMinimumLevel(LogLevel.Warning);
        logging.AddFilter("OllamaMax", LogLevel.Information);
    }
}
