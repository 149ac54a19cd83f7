using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using OllamaMax.TestKit;

namespace OllamaMax.GpuWorker.Tests.Background;

/// <summary>What the parts of a cluster log: goes to the test's output, and tests can wait for something to be said.</summary>
internal sealed class LogLines : ILoggerProvider, ILogger
{
    private readonly LineLog _lines = new();
    private volatile ITestOutputHelper? _output = TestContext.Current.TestOutputHelper;

    public Task WaitForAsync(string part, CancellationToken cancellationToken) =>
        _lines.WaitForAsync(line => line.Contains(part, StringComparison.Ordinal), cancellationToken);

    /// <param name="isIt">Asked once for each line, in order.</param>
    public Task WaitForAsync(Func<string, bool> isIt, CancellationToken cancellationToken) => _lines.WaitForAsync(isIt, cancellationToken);

    public ILogger CreateLogger(string categoryName) =>
        categoryName.StartsWith("OllamaMax", StringComparison.Ordinal) ? this : NullLogger.Instance;

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Information;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        string line = $"{TimeProvider.System.GetLocalNow():HH:mm:ss.fff} {formatter(state, exception)} {exception}";
        _lines.Add(line);
        _output?.WriteLine(line);
    }

    /// <summary>What nobody awaits may speak after its test, whose output is closed then.</summary>
    public void Dispose() => _output = null;
}
