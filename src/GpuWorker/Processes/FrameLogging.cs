using System.Text;
using Microsoft.Extensions.Logging;

namespace OllamaMax.GpuWorker.Processes;

/// <summary>The log of a model's process: it goes to the worker, which has one.</summary>
internal sealed class FrameLogging(FrameWriter writer) : ILoggerProvider
{
    public ILogger CreateLogger(string categoryName) => new Logger(writer);

    public void Dispose()
    {
    }

    private sealed class Logger(FrameWriter writer) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel != LogLevel.None;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            string text = formatter(state, exception);
            writer.Write(FrameKind.Log, 0, [(byte)logLevel], Encoding.UTF8.GetBytes(exception is null ? text : $"{text}\n{exception}"));
        }
    }
}
