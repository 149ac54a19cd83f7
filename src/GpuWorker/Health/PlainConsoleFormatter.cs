using System.Globalization;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Logging.Console;

namespace OllamaMax.GpuWorker.Health;

/// <summary>Lines for a person: time, what is wrong if something is, the message. Categories and event ids are for machines.</summary>
internal sealed class PlainConsoleFormatter(TimeProvider time) : ConsoleFormatter(FormatterName)
{
    public const string FormatterName = "plain";

    public override void Write<TState>(in LogEntry<TState> logEntry, IExternalScopeProvider? scopeProvider, TextWriter textWriter)
    {
        textWriter.Write(time.GetLocalNow().ToString("HH:mm:ss ", CultureInfo.InvariantCulture));
        if (logEntry.LogLevel >= LogLevel.Warning)
            textWriter.Write($"{logEntry.LogLevel.ToString().ToLowerInvariant()}: ");
        string message = logEntry.Formatter(logEntry.State, logEntry.Exception);
        textWriter.Write(message);
        if (RequestId(scopeProvider) is { } id && !message.Contains(id, StringComparison.Ordinal))
            textWriter.Write($" (request {id})");
        textWriter.WriteLine();
        if (logEntry.Exception is { } exception)
            textWriter.WriteLine(exception);
    }

    /// <summary>The innermost scope's; null outside of requests.</summary>
    private static string? RequestId(IExternalScopeProvider? scopes)
    {
        string?[] found = [null];
        scopes?.ForEachScope(
            static (scope, found) =>
            {
                if (scope is IEnumerable<KeyValuePair<string, object?>> pairs)
                    found[0] = pairs.FirstOrDefault(pair => pair.Key == "RequestId").Value as string ?? found[0];
            },
            found);
        return found[0];
    }
}
