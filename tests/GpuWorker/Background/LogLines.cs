using Microsoft.Extensions.Logging;
using OllamaMax.TestKit;

namespace OllamaMax.GpuWorker.Tests.Background;

/// <summary>What the parts of a cluster log, for tests that wait for something to be said.</summary>
internal sealed class LogLines : ILoggerProvider, ILogger
{
    private readonly LineLog _lines = new();

    public Task WaitForAsync(string part, CancellationToken cancellationToken) =>
        _lines.WaitForAsync(line => line.Contains(part, StringComparison.Ordinal), cancellationToken);

    public ILogger CreateLogger(string categoryName) => this;

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Information;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
        _lines.Add(formatter(state, exception));

    public void Dispose()
    {
    }
}
