using Microsoft.Extensions.Logging;

namespace OllamaMax.Diagnostics;

/// <summary>What is worth a line, wherever the lines go: ours from information on, others' from warnings on.</summary>
public static class LogLevels
{
    public static void Set(ILoggingBuilder logging)
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
