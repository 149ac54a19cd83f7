using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace OllamaMax.Edge.Tests.Support;

/// <summary>Keeps what was logged, with the scopes it was logged in.</summary>
internal sealed class LogLines : ILoggerProvider, ISupportExternalScope
{
    private IExternalScopeProvider _scopes = new LoggerExternalScopeProvider();

    public ConcurrentQueue<string> Lines { get; } = [];

    public ILogger CreateLogger(string categoryName) => new Logger(this, categoryName);

    public void SetScopeProvider(IExternalScopeProvider scopeProvider) => _scopes = scopeProvider;

    public void Dispose()
    {
    }

    private sealed class Logger(LogLines owner, string category) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => owner._scopes.Push(state);

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            List<string?> scopes = [];
            owner._scopes.ForEachScope((scope, list) => list.Add(scope?.ToString()), scopes);
            owner.Lines.Enqueue($"{logLevel} {category} [{string.Join("; ", scopes)}] {formatter(state, exception)} {exception}");
        }
    }
}
