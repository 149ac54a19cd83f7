using Microsoft.Extensions.Logging;
using OllamaMax.TestKit;

namespace OllamaMax.GpuWorker.Tests.Models;

/// <summary>Lets a test wait for a line of the log.</summary>
internal sealed class LineLogging(LineLog lines) : ILoggerProvider, ILogger
{
    public ILogger CreateLogger(string categoryName) => this;

    public void Dispose()
    {
    }

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
        lines.Add(formatter(state, exception));
}
